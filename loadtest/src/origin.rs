//! The test origin: a server that answers as it is asked to.
