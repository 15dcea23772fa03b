//! What to send and what to expect: scenario files and the requests made from them.
