//! The pages of employees.

use http::StatusCode;

use crate::world::{World, text, worker};
