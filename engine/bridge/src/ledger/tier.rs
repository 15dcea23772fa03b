//! The plans that one tier of a limit has gone by since buckets may remember it.
//!
//! A bucket that was last used under an older plan must not earn by a faster one for the time
//! before the change. Invariant: `least_since` is no faster and no larger than any plan that
//! was in force since that version.

use policy::limit::Plan;

/// How many changes are told apart; older ones are laid together.
const REMEMBERED: usize = 8;

pub(super) struct Tier {
    pub(super) number: u64,
    /// The plan in force.
    pub(super) plan: Plan,
    /// Counts the changes of `plan`.
    pub(super) version: u64,
    /// Plans that were in force, oldest first, each with the last version it stands for.
    past: Vec<(u64, Plan)>,
}

impl Tier {
    pub(super) fn new(number: u64, plan: Plan) -> Tier {
        Tier {
            number,
            plan,
            version: 0,
            past: Vec::new(),
        }
    }

    /// Goes over to another plan, if it is another.
    pub(super) fn go_by(&mut self, plan: Plan) {
        if self.plan == plan {
            return;
        }
        self.past.push((self.version, self.plan));
        if self.past.len() > REMEMBERED {
            let (_, oldest) = self.past.remove(0);
            if let Some((_, next)) = self.past.first_mut() {
                *next = next.least(&oldest);
            }
        }
        self.version += 1;
        self.plan = plan;
    }

    /// The least of the plans in force since `version`.
    pub(super) fn least_since(&self, version: u64) -> Plan {
        let since = self.past.iter().filter(|(last, _)| *last >= version);
        since.fold(self.plan, |least, (_, plan)| least.least(plan))
    }
}
