//! `[admin]`: the operators' listener.

use policy_keys::{Address, Secret};

policy_keys::keys! {
    /// The operators' listener: `/metrics`, `/health` and `/ready`. Off when the section is absent.
    pub struct Admin = "admin", single {
        /// Where it listens.
        @start address: required Address,
        /// What callers must present as `Authorization: Bearer …`. Required unless the address is a loopback address or a unix socket.
        token: optional Secret,
    }
    later { allow, dashboard }
}
