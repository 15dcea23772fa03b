//! How a reload reads the configuration: the same way as the start did.

use std::sync::Arc;

use engine_control::Load;

use crate::{Configured, source};

pub(crate) fn from(configured: &Configured) -> Load {
    let configured = configured.clone();
    Arc::new(move || source::load(&configured).map_err(|problems| problems.to_string()))
}
