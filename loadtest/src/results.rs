//! What a run measured, and how it is merged, saved, printed and judged.
