//! stub until the furniture branch lands
#![allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Cost(pub u64);
