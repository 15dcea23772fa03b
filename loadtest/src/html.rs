//! The report and the comparison as one self-contained page.
