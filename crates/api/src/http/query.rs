//! Query parameters: known, readable, and nothing else.

use actix_web::HttpRequest;
use comanda_domain::ids::{IdError, TypedId};

use super::body::Names;
use super::path::id_problem;
use crate::problem::{Code, Problem};

/// At most this many parameters.
const MAX_PARAMETERS: usize = 50;
/// Entries of a page, if nobody says otherwise.
const DEFAULT_LIMIT: i64 = 50;
/// Entries of a page, at most.
const MAX_LIMIT: i64 = 200;

/// The parameters of a request that are still to be read.
#[derive(Debug)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone)]
pub struct Page {
    /// 1..200
    pub limit: i64,
    /// Where it begins.
    pub cursor: Option<String>,
}

impl Query {
    /// Splits the query of a request.
    ///
    /// # Errors
    /// Too many parameters, one that is named twice, holds a zero character, or is not percent-encoded UTF-8.
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> = serde_urlencoded(request.query_string())?;
        if pairs.len() > MAX_PARAMETERS {
            return Err(Problem::with_detail(
                Code::InvalidParameter,
                "too many query parameters",
            ));
        }
        for (n, (name, value)) in pairs.iter().enumerate() {
            // The one character that no text of the database can hold.
            if value.contains('\0') {
                return Err(invalid(name, "a zero character is not accepted"));
            }
            if pairs.iter().skip(n + 1).any(|(other, _)| other == name) {
                return Err(invalid(name, "given twice"));
            }
        }
        Ok(Self { pairs })
    }

    /// Takes a parameter as text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let position = self.pairs.iter().position(|(known, _)| known == name)?;
        Some(self.pairs.swap_remove(position).1)
    }

    /// Takes a switch.
    ///
    /// # Errors
    /// Anything but `true` and `false`.
    pub fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        match self.text(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(invalid(name, "true or false")),
        }
    }

    /// Takes a parameter that its type reads.
    ///
    /// # Errors
    /// A text that it cannot read, told in the words of `wanted`.
    pub fn parsed<T: std::str::FromStr>(&mut self, name: &str, wanted: &str) -> Result<Option<T>, Problem> {
        self.text(name)
            .map(|text| text.parse().map_err(|_| invalid(name, wanted)))
            .transpose()
    }

    /// Takes an id.
    ///
    /// # Errors
    /// A text that is no such id.
    pub fn id<T: TypedId + std::str::FromStr<Err = IdError>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        self.text(name)
            .map(|text| {
                text.parse()
                    .map_err(|error| id_problem(&error, &format!("/query/{name}")))
            })
            .transpose()
    }

    /// Takes one name of a closed set.
    ///
    /// # Errors
    /// An unknown name.
    pub fn named<T: Names>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        self.text(name).map(|text| one(name, &text)).transpose()
    }

    /// Takes several names of a closed set, separated by commas; none given is `None`.
    ///
    /// # Errors
    /// An unknown name.
    pub fn all<T: Names>(&mut self, name: &str) -> Result<Option<Vec<T>>, Problem> {
        self.text(name)
            .map(|text| text.split(',').map(|piece| one(name, piece)).collect())
            .transpose()
    }

    /// Takes several codes, separated by commas.
    ///
    /// # Errors
    /// Something that is no code.
    pub fn codes(&mut self, name: &str) -> Result<Vec<String>, Problem> {
        let Some(text) = self.text(name) else {
            return Ok(Vec::new());
        };
        let codes: Vec<String> = text
            .split(',')
            .map(str::trim)
            .filter(|code| !code.is_empty())
            .map(str::to_owned)
            .collect();
        let good = |code: &String| {
            code.len() <= 40
                && code
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if codes.len() <= MAX_PARAMETERS && codes.iter().all(good) {
            Ok(codes)
        } else {
            Err(invalid(
                name,
                "codes of small letters, digits and _, separated by commas",
            ))
        }
    }

    /// Takes a language tag.
    ///
    /// # Errors
    /// A text that is none.
    pub fn language(&mut self) -> Result<Option<String>, Problem> {
        match self.text("lang") {
            Some(tag) if super::language::is_tag(&tag) => Ok(Some(tag.to_lowercase())),
            Some(_) => Err(invalid("lang", "a language tag such as es")),
            None => Ok(None),
        }
    }

    /// Takes `limit` and `cursor`.
    ///
    /// # Errors
    /// A limit outside 1..200.
    pub fn page(&mut self) -> Result<Page, Problem> {
        let limit = match self.text("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or_else(|| invalid("limit", "a number from 1 to 200"))?,
        };
        Ok(Page {
            limit,
            cursor: self.text("cursor"),
        })
    }

    /// Refuses every parameter that nobody took.
    ///
    /// # Errors
    /// `invalid_parameter` naming it.
    pub fn close(&self) -> Result<(), Problem> {
        match self.pairs.first() {
            None => Ok(()),
            Some((name, _)) => Err(invalid(name, "no such parameter")),
        }
    }
}

fn one<T: Names>(name: &str, text: &str) -> Result<T, Problem> {
    T::of(text).ok_or_else(|| invalid(name, &format!("one of {}", T::NAMES.join(", "))))
}

/// A parameter that cannot be used.
pub fn invalid(name: &str, detail: &str) -> Problem {
    let pointer = format!("/query/{}", name.replace('~', "~0").replace('/', "~1"));
    Problem::with_detail(Code::InvalidParameter, format!("{name}: {detail}")).at(
        &pointer,
        "not_allowed",
        detail,
    )
}

fn serde_urlencoded(query: &str) -> Result<Vec<(String, String)>, Problem> {
    actix_web::web::Query::<Vec<(String, String)>>::from_query(query)
        .map(actix_web::web::Query::into_inner)
        .map_err(|_| Problem::with_detail(Code::InvalidParameter, "the query cannot be read"))
}
