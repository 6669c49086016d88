//! What clients can know of the events before any happens: of each name an example and the schema of its envelope.

mod evening;
mod examples;
mod schema;
mod shape;

pub use examples::example;
pub use schema::{envelope_schema, schema_address};
