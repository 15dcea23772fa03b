//! Cache lines, for tests: that what different workers write lies on different ones.

use std::any::type_name;

/// What processors fetch together: two lines of 64 bytes.
const LINE: usize = 128;

/// Claims the lines that each of these values lies on.
///
/// # Panics
/// When two of them have a line in common, or one could have one with what happens to lie beside it.
pub(crate) fn assert_apart<'t, T: 't>(values: impl IntoIterator<Item = &'t T>) {
    let name = type_name::<T>();
    assert_eq!(align_of::<T>() % LINE, 0, "{name} is aligned");
    assert_eq!(size_of::<T>() % LINE, 0, "{name} fills its lines");
    let mut places: Vec<usize> = values
        .into_iter()
        .map(|value| std::ptr::from_ref(value).addr())
        .collect();
    places.sort_unstable();
    for pair in places.windows(2) {
        assert!(
            pair[1] - pair[0] >= size_of::<T>(),
            "{name}: one value twice"
        );
    }
}
