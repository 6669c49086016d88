//! Between the wire and the use cases: parsing, credentials, conditions, answers.

pub mod answer;
pub mod body;
pub mod command;
pub mod conditional;
pub mod frame;
pub mod json;
pub mod language;
pub mod paging;
pub mod path;
pub mod principal;
pub mod query;
pub mod signed;
pub mod trace;
