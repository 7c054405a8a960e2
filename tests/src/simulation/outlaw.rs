//! One who breaks the rules. What they write must count nowhere, and must cost nobody else anything.

use super::world::{Outcome, World};

impl World {
    pub(super) fn somebody_breaks_rules(&mut self) -> Outcome {
        Ok(())
    }
}
