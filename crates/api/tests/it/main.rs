//! Black-box tests over HTTP, each on its own database.

#[cfg(test)]
mod dinner;

#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod crash;

#[cfg(test)]
mod cost;
