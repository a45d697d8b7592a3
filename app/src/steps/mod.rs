//! The steps, each from row to row. What several of them need stands in `services`.

pub mod accept;
pub mod attribute;
pub mod decide;
pub mod deliver;
pub mod reconcile;
pub mod refresh;
pub mod retain;
pub mod webhook;
