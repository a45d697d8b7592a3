//! A small memory of what was used last.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps the values used last, up to a total weight. Found by looking through them: there are never more than some dozens.
pub(super) struct Recent<K, V> {
    capacity: usize,
    entries: Mutex<VecDeque<(K, usize, Arc<V>)>>,
}

/// More than these are never kept, however light: looking through them has to stay cheap.
const MOST: usize = 64;

impl<K: PartialEq, V> Recent<K, V> {
    /// A memory for values of `capacity` weight in all.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, entries: Mutex::new(VecDeque::new()) }
    }

    /// The value of a key, which thereby is the one used last.
    pub(super) fn get(&self, key: &K) -> Option<Arc<V>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let at = entries.iter().position(|(known, ..)| known == key)?;
        let entry = entries.remove(at)?;
        let value = Arc::clone(&entry.2);
        entries.push_front(entry);
        Some(value)
    }

    /// Remembers a value, forgetting those used longest ago; one heavier than the whole memory is not kept.
    pub(super) fn put(&self, key: K, weight: usize, value: V) -> Arc<V> {
        let value = Arc::new(value);
        if weight > self.capacity {
            return value;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(known, ..)| *known != key);
        entries.push_front((key, weight, Arc::clone(&value)));
        let mut total: usize = entries.iter().map(|(_, weight, _)| weight).sum();
        while total > self.capacity || entries.len() > MOST {
            total -= entries.pop_back().map_or(total, |(_, weight, _)| weight);
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_goes_first() {
        let recent = Recent::new(10);
        recent.put("a", 4, 1);
        recent.put("b", 4, 2);
        assert_eq!(recent.get(&"a").as_deref(), Some(&1));
        recent.put("c", 4, 3);
        assert_eq!((recent.get(&"a").is_some(), recent.get(&"b").is_some()), (true, false));
        recent.put("huge", 11, 4);
        assert!(recent.get(&"huge").is_none() && recent.get(&"c").is_some());
    }
}
