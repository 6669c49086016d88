//! Request bodies: parsed into types that cannot hold a bad value, every fault reported with its pointer.
//!
//! A body is declared once with [`body!`]: the struct, its OpenAPI schema and its reader come from the same lines.

use std::cell::RefCell;

use chrono::{DateTime, SubsecRound};
use comanda_domain::Timestamp;
use comanda_domain::event::{AUDIENCE, TypeFilter, View};
use comanda_domain::ids::{IdError, TypedId};
use comanda_domain::money::{Currency, MAX_TOTAL, Money};
use comanda_security::api_key::{IpNet, parse_network};
use comanda_security::policy::Scope;
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};

use crate::problem::{Code, FieldError, Problem};

/// Faults of one body, with where we are in it.
#[derive(Debug, Default)]
pub struct Faults {
    path: Vec<String>,
    list: Vec<FieldError>,
    /// The first id that is none, or one of another kind: it decides the problem's code.
    id: Option<(Code, Map<String, Value>)>,
}

impl Faults {
    /// Where we are, as a JSON pointer (RFC 6901).
    fn pointer(&self) -> String {
        self.path.iter().fold(String::new(), |mut pointer, step| {
            pointer.push('/');
            pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
            pointer
        })
    }

    /// Adds a fault here.
    pub fn add(&mut self, code: &str, detail: impl Into<String>) {
        let fault = FieldError::new(self.pointer(), code, detail);
        self.list.push(fault);
    }

    /// Goes one step down for the time of `f`.
    pub fn within<T>(&mut self, step: impl Into<String>, f: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step.into());
        let result = f(self);
        self.path.pop();
        result
    }

    fn id_fault(&mut self, error: &IdError) {
        let (code, members) = match error {
            IdError::Malformed => (Code::IdMalformed, Map::new()),
            IdError::WrongPrefix { expected, got } => {
                let mut members = Map::new();
                members.insert("expected".into(), (*expected).into());
                members.insert("got".into(), got.as_str().into());
                (Code::IdWrongPrefix, members)
            }
        };
        self.add(code.info().name, error.to_string());
        self.id.get_or_insert((code, members));
    }

    /// The problem to answer with, if anything was wrong. A text that is no id counts as bad syntax (400) and
    /// comes before values that are not accepted (422).
    pub fn into_problem(self) -> Option<Problem> {
        if self.list.is_empty() {
            return None;
        }
        let (code, members) = self.id.unwrap_or((Code::ValidationFailed, Map::new()));
        let detail = match self.list.as_slice() {
            [only] => format!("{}: {}", only.pointer, only.detail),
            many => format!("{} values are not accepted.", many.len()),
        };
        let mut problem = Problem::with_detail(code, detail).errors(self.list);
        problem.members = members;
        Some(problem)
    }
}

/// Something that can be read from a JSON value.
pub trait FromJson: Sized {
    /// Reads the value, or says what is wrong with it.
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self>;

    /// What an absent member means; `None` where it is required.
    fn absent() -> Option<Self> {
        None
    }

    /// Its part of the OpenAPI document, with every bound.
    fn schema() -> Schema;
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        if value.is_null() {
            Some(None)
        } else {
            T::from_json(value, faults).map(Some)
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn schema() -> Schema {
        T::schema()
    }
}

/// A field of a `PATCH`: absent keeps, null clears, a value sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Stays as it is.
    #[default]
    Keep,
    /// Becomes null.
    Clear,
    /// Becomes this.
    Set(T),
}

impl<T> Patch<T> {
    /// The new value over the old one.
    pub fn over(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Keep => old,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<T: FromJson> FromJson for Patch<T> {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        if value.is_null() {
            Some(Self::Clear)
        } else {
            T::from_json(value, faults).map(Self::Set)
        }
    }

    fn absent() -> Option<Self> {
        Some(Self::Keep)
    }

    fn schema() -> Schema {
        T::schema()
    }
}

/// At most `MAX` items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MAX: usize>(pub Vec<T>);

impl<T: FromJson, const MAX: usize> FromJson for List<T, MAX> {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        let Value::Array(items) = value else {
            faults.add("wrong_type", "must be a list");
            return None;
        };
        if items.len() > MAX {
            faults.add("too_long", format!("at most {MAX} entries"));
            return None;
        }
        let read: Vec<Option<T>> = items
            .iter()
            .enumerate()
            .map(|(n, item)| faults.within(n.to_string(), |faults| T::from_json(item, faults)))
            .collect();
        read.into_iter().collect::<Option<Vec<T>>>().map(Self)
    }

    fn schema() -> Schema {
        ArrayBuilder::new()
            .items(RefOr::T(T::schema()))
            .max_items(Some(MAX))
            .build()
            .into()
    }
}

/// Text of `MIN` to `MAX` characters after trimming, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MIN: usize, const MAX: usize>(pub String);

impl<const MIN: usize, const MAX: usize> FromJson for Text<MIN, MAX> {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        let Value::String(text) = value else {
            faults.add("wrong_type", "must be a text");
            return None;
        };
        let text = text.trim();
        let length = text.chars().count();
        if length < MIN {
            faults.add("too_short", format!("at least {MIN} characters"));
        } else if length > MAX {
            faults.add("too_long", format!("at most {MAX} characters"));
        } else if text.chars().any(char::is_control) {
            faults.add("wrong_format", "control characters are not accepted");
        } else {
            return Some(Self(text.to_owned()));
        }
        None
    }

    fn schema() -> Schema {
        string()
            .min_length(Some(MIN))
            .max_length(Some(MAX))
            .build()
            .into()
    }
}

/// Text that is taken as it is, up to `MAX` bytes: passwords, tokens and codes.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw<const MAX: usize>(pub String);

impl<const MAX: usize> std::fmt::Debug for Raw<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Raw(…)")
    }
}

impl<const MAX: usize> FromJson for Raw<MAX> {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        match value {
            Value::String(text) if text.len() > MAX => {
                faults.add("too_long", format!("at most {MAX} bytes"));
                None
            }
            // The one character that no text of the database can hold.
            Value::String(text) if text.contains('\0') => {
                faults.add("wrong_format", "a zero character is not accepted");
                None
            }
            Value::String(text) => Some(Self(text.clone())),
            _ => {
                faults.add("wrong_type", "must be a text");
                None
            }
        }
    }

    fn schema() -> Schema {
        string().max_length(Some(MAX)).build().into()
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int<const MIN: i32, const MAX: i32>(pub i32);

impl<const MIN: i32, const MAX: i32> FromJson for Int<MIN, MAX> {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        let number = whole(value, faults)?;
        if number < i64::from(MIN) {
            faults.add("too_small", format!("at least {MIN}"));
            return None;
        }
        if number > i64::from(MAX) {
            faults.add("too_large", format!("at most {MAX}"));
            return None;
        }
        i32::try_from(number).ok().map(Self)
    }

    fn schema() -> Schema {
        integer().minimum(Some(MIN)).maximum(Some(MAX)).build().into()
    }
}

fn whole(value: &Value, faults: &mut Faults) -> Option<i64> {
    let number = value.as_i64();
    if number.is_none() {
        let (code, detail) = if value.is_u64() {
            ("too_large", "far too large")
        } else {
            ("wrong_type", "must be a whole number")
        };
        faults.add(code, detail);
    }
    number
}

impl FromJson for bool {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        value.as_bool().or_else(|| {
            faults.add("wrong_type", "must be true or false");
            None
        })
    }

    fn schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::Boolean))
            .build()
            .into()
    }
}

/// The id of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id<T>(pub T);

impl<T: TypedId + std::str::FromStr<Err = IdError>> FromJson for Id<T> {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        let Value::String(text) = value else {
            faults.add("wrong_type", "must be an id");
            return None;
        };
        text.parse()
            .map(Self)
            .map_err(|error| faults.id_fault(&error))
            .ok()
    }

    fn schema() -> Schema {
        let pattern = format!("^{}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$", T::PREFIX);
        string()
            .pattern(Some(pattern))
            .min_length(Some(30))
            .max_length(Some(30))
            .build()
            .into()
    }
}

/// An amount ≥ 0 that repeats its currency, so that a mistake is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub Money);

impl FromJson for Amount {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        let fields = Fields::open(value, faults)?;
        let amount = fields.read::<Minor>("amount", faults);
        let currency = fields.read::<CurrencyCode>("currency", faults);
        fields.close(faults);
        Some(Self(Money::new(amount?.0, currency?.0)))
    }

    fn schema() -> Schema {
        closed_object()
            .property("amount", Minor::schema())
            .property("currency", CurrencyCode::schema())
            .required("amount")
            .required("currency")
            .build()
            .into()
    }
}

struct Minor(i64);

impl FromJson for Minor {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        let number = whole(value, faults)?;
        if number < 0 {
            faults.add("too_small", "at least 0");
            return None;
        }
        if number > MAX_TOTAL {
            faults.add("too_large", format!("at most {MAX_TOTAL}"));
            return None;
        }
        Some(Self(number))
    }

    fn schema() -> Schema {
        integer().minimum(Some(0)).maximum(Some(MAX_TOTAL)).build().into()
    }
}

struct CurrencyCode(Currency);

impl FromJson for CurrencyCode {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        let Value::String(code) = value else {
            faults.add("wrong_type", "must be a currency code");
            return None;
        };
        let currency = Currency::parse(code);
        if currency.is_none() {
            faults.add("wrong_format", "three capital letters, as in ISO 4217");
        }
        currency.map(Self)
    }

    fn schema() -> Schema {
        string().pattern(Some("^[A-Z]{3}$")).build().into()
    }
}

/// A moment, RFC 3339 with its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Timestamp);

impl FromJson for Time {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        let Value::String(text) = value else {
            faults.add("wrong_type", "must be a text");
            return None;
        };
        let time = DateTime::parse_from_rfc3339(text).ok();
        if time.is_none() {
            faults.add("wrong_format", "a time such as 2027-01-31T23:59:00Z");
        }
        time.map(|time| Self(time.to_utc().trunc_subsecs(6)))
    }

    fn schema() -> Schema {
        string()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .build()
            .into()
    }
}

/// A network, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(pub IpNet);

impl FromJson for Network {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        let Value::String(text) = value else {
            faults.add("wrong_type", "must be a text");
            return None;
        };
        match parse_network(text) {
            Ok(network) => Some(Self(network)),
            Err(error) => {
                faults.add("wrong_format", error.to_string());
                None
            }
        }
    }

    fn schema() -> Schema {
        string()
            .format(Some(SchemaFormat::Custom("ip-network".to_owned())))
            .build()
            .into()
    }
}

/// A filter of event types that lets something through that integrations are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventType(pub TypeFilter);

impl FromJson for EventType {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        let Value::String(text) = value else {
            faults.add("wrong_type", "must be a text");
            return None;
        };
        let told = |filter: &TypeFilter| {
            AUDIENCE
                .iter()
                .any(|row| row.has_view(View::Integration) && filter.matches(row.name))
        };
        let filter = TypeFilter::parse(text).ok().filter(told);
        if filter.is_none() {
            faults.add(
                "not_allowed",
                "a type that integrations are told of, such as round.submitted or round.*",
            );
        }
        filter.map(Self)
    }

    fn schema() -> Schema {
        string()
            .format(Some(SchemaFormat::Custom("event-type".to_owned())))
            .build()
            .into()
    }
}

/// A number of an event in its branch, or 0 for the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position(pub i64);

/// The largest number that every JSON reader keeps.
const LARGEST_NUMBER: i64 = 9_007_199_254_740_991;

impl FromJson for Position {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        let number = whole(value, faults)?;
        if number < 0 {
            faults.add("too_small", "at least 0");
        } else if number > LARGEST_NUMBER {
            faults.add("too_large", format!("at most {LARGEST_NUMBER}"));
        } else {
            return Some(Self(number));
        }
        None
    }

    fn schema() -> Schema {
        integer()
            .minimum(Some(0))
            .maximum(Some(LARGEST_NUMBER))
            .build()
            .into()
    }
}

/// One of a closed set of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<T>(pub T);

/// A closed set that bodies and queries may name.
pub trait Names: Copy {
    /// The names, for documentation and messages.
    const NAMES: &'static [&'static str];
    /// Reads a name.
    fn of(name: &str) -> Option<Self>;
}

macro_rules! names {
    ($($ty:ty),* $(,)?) => {$(
        impl Names for $ty {
            const NAMES: &'static [&'static str] = <$ty>::NAMES;
            fn of(name: &str) -> Option<Self> {
                <$ty>::parse(name)
            }
        }
    )*};
}

names! {
    comanda_security::api_key::Overlap,
    comanda_domain::billing::CheckStatus,
    comanda_domain::billing::Provider,
    comanda_domain::billing::SplitMethod,
    comanda_domain::cart::Sharing,
    comanda_domain::diner::AllergenMode,
    comanda_domain::diner::Diet,
    View,
    comanda_domain::kitchen::TicketStatus,
    comanda_domain::menu::Station,
    comanda_domain::round::RoundStatus,
    comanda_domain::service_call::CallStatus,
    comanda_domain::service_call::CallType,
    comanda_domain::table::TableStatus,
}

impl Names for Scope {
    const NAMES: &'static [&'static str] = Self::NAMES;
    fn of(name: &str) -> Option<Self> {
        Self::parse(name)
    }
}

impl<T: Names> FromJson for Named<T> {
    fn from_json(value: &Value, faults: &mut Faults) -> Option<Self> {
        let Value::String(name) = value else {
            faults.add("wrong_type", "must be a text");
            return None;
        };
        let known = T::of(name);
        if known.is_none() {
            faults.add("not_allowed", format!("one of {}", T::NAMES.join(", ")));
        }
        known.map(Self)
    }

    fn schema() -> Schema {
        string()
            .enum_values(Some(T::NAMES.iter().copied()))
            .build()
            .into()
    }
}

/// The members of an object that are still to be read.
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    /// The members, if the value is an object.
    pub fn open(value: &'a Value, faults: &mut Faults) -> Option<Self> {
        let object = value.as_object();
        if object.is_none() {
            faults.add("wrong_type", "must be an object");
        }
        object.map(|object| Self {
            object,
            known: RefCell::default(),
        })
    }

    /// Reads one member.
    pub fn read<T: FromJson>(&self, name: &'static str, faults: &mut Faults) -> Option<T> {
        self.known.borrow_mut().push(name);
        match self.object.get(name) {
            Some(value) => faults.within(name, |faults| T::from_json(value, faults)),
            None => T::absent().or_else(|| {
                faults.within(name, |faults| faults.add("required", "must be given"));
                None
            }),
        }
    }

    /// Refuses every member that nobody read.
    pub fn close(self, faults: &mut Faults) {
        for name in self
            .object
            .keys()
            .filter(|name| !self.known.borrow().contains(&name.as_str()))
        {
            faults.within(name.clone(), |faults| {
                faults.add("unknown_field", "no such member");
            });
        }
    }
}

/// Declares a body: struct, schema and reader in one.
macro_rules! body {
    (
        $(#[doc = $doc:literal])*
        $name:ident { $($(#[doc = $fdoc:literal])* $field:ident: $ty:ty),* $(,)? }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub struct $name { $($(#[doc = $fdoc])* pub $field: $ty),* }

        impl $crate::http::body::FromJson for $name {
            fn from_json(
                value: &serde_json::Value,
                faults: &mut $crate::http::body::Faults,
            ) -> Option<Self> {
                let fields = $crate::http::body::Fields::open(value, faults)?;
                $(let $field = fields.read::<$ty>(stringify!($field).trim_start_matches("r#"), faults);)*
                fields.close(faults);
                Some(Self { $($field: $field?),* })
            }

            fn schema() -> utoipa::openapi::schema::Schema {
                $crate::http::body::object_schema(&[
                    $((
                        stringify!($field).trim_start_matches("r#"),
                        <$ty as $crate::http::body::FromJson>::schema(),
                        <$ty as $crate::http::body::FromJson>::absent().is_none(),
                        concat!($($fdoc),*),
                    )),*
                ], concat!($($doc),*))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::RefOr::T(<Self as $crate::http::body::FromJson>::schema())
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use body;

body! {
    /// A command that needs no words.
    Nothing {}
}

/// Reads a whole body.
///
/// # Errors
/// [`Problem`] with one entry per fault.
pub fn read<T: FromJson>(value: &Value) -> Result<T, Problem> {
    let mut faults = Faults::default();
    let read = T::from_json(value, &mut faults);
    match (faults.into_problem(), read) {
        (None, Some(body)) => Ok(body),
        (Some(problem), _) => Err(problem),
        // A reader that returns nothing has said why; this is its defect, told as a refusal.
        (None, None) => Err(Problem::new(Code::ValidationFailed)),
    }
}

// --- schemas -----------------------------------------------------------------------------------------------

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String))
}

fn integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer))
}

fn closed_object() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Object))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

/// The schema of an object: name, schema, required and description of each member.
pub fn object_schema(members: &[(&str, Schema, bool, &str)], description: &str) -> Schema {
    let mut object = closed_object().description(Some(description.trim()));
    for (name, schema, required, text) in members {
        object = object.property(*name, described(schema.clone(), text.trim()));
        if *required {
            object = object.required(*name);
        }
    }
    object.build().into()
}

fn described(schema: Schema, text: &str) -> Schema {
    match schema {
        Schema::Object(mut object) => {
            object.description.get_or_insert_with(|| text.to_owned());
            Schema::Object(object)
        }
        Schema::Array(mut array) => {
            array.description.get_or_insert_with(|| text.to_owned());
            Schema::Array(array)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use comanda_domain::ids::{RoundId, TableId};
    use serde_json::json;

    use super::*;

    body! {
        /// For the tests.
        Sample {
            /// A name.
            name: Text<1, 5>,
            /// A number.
            qty: Option<Int<1, 99>>,
            /// Ids.
            rounds: Option<List<Id<RoundId>, 2>>,
            /// Money.
            total: Option<Amount>,
        }
    }

    fn faults(value: &Value) -> (String, Vec<(String, String)>) {
        let problem = read::<Sample>(value).unwrap_err();
        let list = problem
            .errors
            .iter()
            .map(|e| (e.pointer.clone(), e.code.clone()))
            .collect();
        (problem.code.info().name.to_owned(), list)
    }

    #[test]
    fn every_fault_has_its_pointer() {
        let (code, list) = faults(&json!({
            "name": "too long", "qty": 0, "total": {"amount": -1, "currency": "ars", "x": 1}, "a/b": 1
        }));
        assert_eq!(code, "validation_failed");
        let expected = [
            ("/name", "too_long"),
            ("/qty", "too_small"),
            ("/total/amount", "too_small"),
            ("/total/currency", "wrong_format"),
            ("/total/x", "unknown_field"),
            ("/a~1b", "unknown_field"),
        ];
        assert_eq!(list, expected.map(|(p, c)| (p.to_owned(), c.to_owned())));
    }

    #[test]
    fn a_bad_id_is_bad_syntax() {
        let table = TableId(uuid::Uuid::nil()).to_string();
        assert_eq!(faults(&json!({"name": "a", "rounds": ["x"]})).0, "id_malformed");
        assert_eq!(
            faults(&json!({"name": "a", "rounds": [table]})).0,
            "id_wrong_prefix"
        );
    }

    #[test]
    fn good_values_are_read() {
        let sample = read::<Sample>(&json!({"name": " a ", "qty": null})).unwrap();
        assert_eq!(sample.name.0, "a");
        assert_eq!((sample.qty, sample.rounds, sample.total), (None, None, None));
    }
}
