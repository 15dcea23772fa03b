//! The HTTP/1.1 client of the load generator: strict reading of responses, in place.
