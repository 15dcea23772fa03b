//! The server: bytes in any pieces, tables of any size.
