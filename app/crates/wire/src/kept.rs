//! Lists that are cut while they are read: of a list of millions, no more is built than is kept.

use crate::lenient::{Text, ignore_scalars, skip_list};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::marker::PhantomData;

/// What takes the elements of a list one by one.
pub(super) trait Collect: Default {
    /// An element.
    type Item;

    /// Takes the next one.
    fn push(&mut self, item: Self::Item);

    /// What follows makes no difference any more.
    fn is_full(&self) -> bool {
        false
    }
}

/// The first `FIRST` and the last `LAST` elements.
#[derive(Clone, Debug)]
pub(super) struct Kept<T, const FIRST: usize, const LAST: usize> {
    items: Vec<T>,
    /// Where the oldest of the last ones stands among them, once there are more than fit.
    oldest: usize,
}

impl<T, const FIRST: usize, const LAST: usize> Default for Kept<T, FIRST, LAST> {
    fn default() -> Self {
        Self { items: Vec::new(), oldest: 0 }
    }
}

impl<T, const FIRST: usize, const LAST: usize> Collect for Kept<T, FIRST, LAST> {
    type Item = T;

    fn push(&mut self, item: T) {
        self.replace(item);
    }

    fn is_full(&self) -> bool {
        LAST == 0 && self.items.len() == FIRST
    }
}

impl<T, const FIRST: usize, const LAST: usize> Kept<T, FIRST, LAST> {
    /// Takes the next element, and gives what is not kept.
    pub(super) fn replace(&mut self, item: T) -> Option<T> {
        if self.items.len() < FIRST + LAST {
            self.items.push(item);
            return None;
        }
        let kept = self.items[FIRST..].get_mut(self.oldest);
        self.oldest = if self.oldest + 1 >= LAST { 0 } else { self.oldest + 1 };
        Some(match kept {
            Some(kept) => std::mem::replace(kept, item),
            None => item,
        })
    }

    /// Whether there was no element.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The elements in their order.
    pub(super) fn finish(mut self) -> Vec<T> {
        if self.oldest > 0 {
            self.items[FIRST..].rotate_left(self.oldest);
        }
        self.items
    }
}

/// A list, bare or as `{"values": […]}`: its first `FIRST` and last `LAST` elements. `null` in it
/// is left out, anything else is an empty one.
#[derive(Clone, Debug)]
pub(super) struct List<T, const FIRST: usize, const LAST: usize>(pub(super) Vec<T>);

impl<T, const FIRST: usize, const LAST: usize> Default for List<T, FIRST, LAST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const FIRST: usize, const LAST: usize> Deserialize<'de> for List<T, FIRST, LAST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        collect::<D, Kept<T, FIRST, LAST>>(deserializer).map(|kept| Self(kept.finish()))
    }
}

/// Reads a list, bare or as `{"values": […]}`, into what takes its elements.
pub(super) fn collect<'de, D, C>(deserializer: D) -> Result<C, D::Error>
where
    D: Deserializer<'de>,
    C: Collect<Item: Deserialize<'de>>,
{
    deserializer.deserialize_any(CollectVisitor(PhantomData))
}

struct CollectVisitor<C>(PhantomData<C>);

impl<'de, C: Collect<Item: Deserialize<'de>>> Visitor<'de> for CollectVisitor<C> {
    type Value = C;

    ignore_scalars!(visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str));

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<C, A::Error> {
        let mut collected = C::default();
        while !collected.is_full() {
            match list.next_element::<Option<C::Item>>()? {
                Some(Some(item)) => collected.push(item),
                Some(None) => {}
                None => return Ok(collected),
            }
        }
        skip_list(list)?;
        Ok(collected)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<C, A::Error> {
        let mut collected = C::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if key.0.as_deref() == Some("values") {
                collected = map.next_value_seed(Again(PhantomData))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(collected)
    }
}

/// What `values` holds, by the same rules.
struct Again<C>(PhantomData<C>);

impl<'de, C: Collect<Item: Deserialize<'de>>> serde::de::DeserializeSeed<'de> for Again<C> {
    type Value = C;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<C, D::Error> {
        collect(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lenient::Number;

    fn read<const FIRST: usize, const LAST: usize>(json: &str) -> Vec<u64> {
        let list: List<Number, FIRST, LAST> = serde_json::from_str(json).expect("it is JSON");
        list.0.iter().filter_map(|number| number.0).collect()
    }

    #[test]
    fn lists_take_anything() {
        for json in ["[1,null,2]", "{\"x\":0,\"values\":[1,2]}", "{\"values\":7,\"values\":{\"values\":[1,2]}}"] {
            assert_eq!(read::<9, 9>(json), [1, 2], "{json}");
        }
        for json in ["null", "3", "\"x\"", "{}", "[]"] {
            assert!(read::<9, 9>(json).is_empty(), "{json}");
        }
    }

    #[test]
    fn both_ends_are_kept_in_their_order() {
        for length in 0..20 {
            let numbers: Vec<u64> = (1..=length).collect();
            let json = format!("{numbers:?}");
            let ends = |first: usize, last: usize| {
                let at = |n: usize| n < first || n + last >= numbers.len();
                numbers.iter().enumerate().filter(|(n, _)| at(*n)).map(|(_, number)| *number).collect::<Vec<_>>()
            };
            assert_eq!(read::<3, 4>(&json), ends(3, 4), "{json}");
            assert_eq!(read::<3, 0>(&json), ends(3, 0), "{json}");
            assert_eq!(read::<0, 4>(&json), ends(0, 4), "{json}");
        }
    }

    #[test]
    fn a_list_of_millions_is_never_built() {
        let json = format!("[{}0]", "1,".repeat(1_000_000));
        let list: List<Number, 3, 4> = serde_json::from_str(&json).expect("it is JSON");
        assert!(list.0.len() == 7 && list.0.capacity() < 20, "{}", list.0.capacity());
    }

    thread_local! {
        static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    /// An element that notes that it was read.
    struct Counted;

    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            READ.set(READ.get() + 1);
            IgnoredAny::deserialize(deserializer).map(|_| Self)
        }
    }

    #[test]
    fn what_follows_the_last_element_that_counts_is_only_skipped() {
        let json = format!("[{}0]", "{\"a\":[1]},".repeat(1_000));
        let list: List<Counted, 3, 0> = serde_json::from_str(&json).expect("it is JSON");
        assert_eq!((list.0.len(), READ.get()), (3, 3));
    }
}
