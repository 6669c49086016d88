//! What the dinner must give, worked out here by the rules of `domain.md` 5 and not taken from the server.

/// Most guests of a dinner.
pub const MOST_GUESTS: usize = 8;

/// The guests, in the order in which they sit down.
pub const NAMES: [&str; MOST_GUESTS] = ["Ana", "Bruno", "Carla", "Dora", "Elsa", "Fito", "Gala", "Hugo"];

/// A dish that the dinner orders, with its price in Centro.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dish {
    /// Its code on the menu.
    pub code: &'static str,
    /// Minor units of one, without options.
    pub price: i64,
}

/// The steak.
pub const STEAK: Dish = Dish {
    code: "bife_chorizo",
    price: 2_490_000,
};
/// The cheese for everyone.
pub const CHEESE: Dish = Dish {
    code: "provoleta",
    price: 980_000,
};
/// The pasties.
pub const PASTY: Dish = Dish {
    code: "empanada_carne",
    price: 280_000,
};
/// The lemonade.
pub const LEMONADE: Dish = Dish {
    code: "limonada",
    price: 450_000,
};
/// How the steak is cooked: free, but it must be said.
pub const RARE: Dish = Dish {
    code: "jugoso",
    price: 0,
};
/// The egg on the steak.
pub const EGG: Dish = Dish {
    code: "huevo_frito",
    price: 180_000,
};

/// What Ana leaves for the staff.
pub const TIP: i64 = 100_000;
/// The smallest note that Bruno carries.
const NOTE: i64 = 100_000;

/// One line of the order; also one charge of the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// What.
    pub dish: Dish,
    /// How many.
    pub qty: i32,
    /// Who orders it.
    pub by: usize,
    /// Everybody eats of it.
    pub shared: bool,
    /// The whole line.
    pub amount: i64,
}

impl Line {
    /// Whose charge it is.
    pub fn owner(&self) -> Option<usize> {
        (!self.shared).then_some(self.by)
    }
}

/// The whole dinner in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// In the order in which they are ordered.
    pub lines: Vec<Line>,
    /// Of all lines.
    pub total: i64,
    /// Equal parts, by guest.
    pub shares: Vec<i64>,
    /// What each guest's payment covers: index of the line, and how much of it.
    pub covered: Vec<Vec<(usize, i64)>>,
}

impl Expected {
    /// The dinner of so many guests.
    pub fn of(guests: usize) -> Self {
        let lines = lines(guests);
        let total = lines.iter().map(|line| line.amount).sum();
        let shares = equal_parts(total, guests);
        let covered = covered(&lines, &shares);
        Self {
            lines,
            total,
            shares,
            covered,
        }
    }

    /// How many lines each station gets: grill, hot kitchen, bar.
    pub fn stations(&self) -> [(&'static str, usize); 3] {
        let count = |dishes: &[Dish]| {
            self.lines
                .iter()
                .filter(|line| dishes.contains(&line.dish))
                .count()
        };
        [
            ("grill", count(&[STEAK, CHEESE])),
            ("hot_kitchen", count(&[PASTY])),
            ("bar", count(&[LEMONADE])),
        ]
    }

    /// The notes that a guest hands over for an amount.
    pub fn tendered(amount: i64) -> i64 {
        (amount + NOTE - 1) / NOTE * NOTE
    }
}

/// Ana has the steak and a cheese for the table, Bruno two pasties, everyone else a lemonade.
fn lines(guests: usize) -> Vec<Line> {
    let own = |dish: Dish, qty: i32, by| Line {
        dish,
        qty,
        by,
        shared: false,
        amount: dish.price * i64::from(qty),
    };
    let steak = own(STEAK, 1, 0);
    let mut lines = vec![
        Line {
            amount: steak.amount + RARE.price + EGG.price,
            ..steak
        },
        Line {
            shared: true,
            ..own(CHEESE, 1, 0)
        },
    ];
    lines.extend((1..guests).map(|guest| {
        if guest == 1 {
            own(PASTY, 2, guest)
        } else {
            own(LEMONADE, 1, guest)
        }
    }));
    lines
}

/// Parts that add up to the total and differ by one unit at most; whoever sat down first pays the unit more.
fn equal_parts(total: i64, guests: usize) -> Vec<i64> {
    let count = i64::try_from(guests).unwrap_or(i64::MAX).max(1);
    (0..count)
        .map(|guest| total / count + i64::from(guest < total % count))
        .collect()
}

/// Guest after guest pays a share: first for what is their own, then for what is shared, then for the rest.
fn covered(lines: &[Line], shares: &[i64]) -> Vec<Vec<(usize, i64)>> {
    let mut open: Vec<i64> = lines.iter().map(|line| line.amount).collect();
    let pay = |(payer, share): (usize, &i64)| {
        let mut left = *share;
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by_key(|line| match lines.get(*line).map(Line::owner) {
            Some(Some(owner)) if owner == payer => 0,
            Some(None) => 1,
            _ => 2,
        });
        let mut covers = Vec::new();
        for line in order {
            let Some(rest) = open.get_mut(line) else { continue };
            let part = left.min(*rest);
            (left, *rest) = (left - part, *rest - part);
            if part > 0 {
                covers.push((line, part));
            }
        }
        covers
    };
    shares.iter().enumerate().map(pay).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_guests_pay_what_the_example_says() {
        let dinner = Expected::of(3);
        assert_eq!(dinner.total, 4_660_000);
        assert_eq!(
            dinner.lines.iter().map(|line| line.amount).collect::<Vec<_>>(),
            [2_670_000, 980_000, 560_000, 450_000]
        );
        assert_eq!(dinner.shares, [1_553_334, 1_553_333, 1_553_333]);
        assert_eq!(
            dinner.covered,
            [
                vec![(0, 1_553_334)],
                vec![(2, 560_000), (1, 980_000), (0, 13_333)],
                vec![(3, 450_000), (0, 1_103_333)],
            ]
        );
        assert_eq!(Expected::tendered(1_553_333) - 1_553_333, 46_667);
        assert_eq!(dinner.stations(), [("grill", 2), ("hot_kitchen", 1), ("bar", 1)]);
    }

    #[test]
    fn every_party_pays_for_everything_exactly() {
        for guests in 1..=MOST_GUESTS {
            let dinner = Expected::of(guests);
            assert_eq!(dinner.shares.iter().sum::<i64>(), dinner.total);
            for (index, line) in dinner.lines.iter().enumerate() {
                let paid: i64 = dinner
                    .covered
                    .iter()
                    .flatten()
                    .filter(|(of, _)| *of == index)
                    .map(|(_, part)| part)
                    .sum();
                assert_eq!(paid, line.amount, "{guests} guests, line {index}");
            }
        }
    }
}
