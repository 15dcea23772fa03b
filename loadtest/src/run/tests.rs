//! Runs against servers that are scripted byte by byte.
