//! stub
#![allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    pub latitude_microdegrees: i32,
    pub longitude_microdegrees: i32,
}
