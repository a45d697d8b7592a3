//! What was used recently.

use std::collections::HashMap;
use std::hash::Hash;

/// A map that keeps what was used recently: two halves, of which the older one is dropped when the
/// newer is full.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    newer: HashMap<K, V>,
    older: HashMap<K, V>,
    half: usize,
}

impl<K: Hash + Eq + Clone, V: Copy> Recent<K, V> {
    /// Empty; each half has so many.
    pub(super) fn new(half: usize) -> Self {
        Self { newer: HashMap::new(), older: HashMap::new(), half }
    }

    /// What is kept for a key, which is used now.
    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.newer.get(key) {
            return Some(*value);
        }
        let value = self.older.remove(key)?;
        self.put(key.clone(), value);
        Some(value)
    }

    /// Keeps something.
    pub(super) fn put(&mut self, key: K, value: V) {
        if self.newer.len() >= self.half {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let mut recent = Recent::new(3);
        for n in 0..10 {
            recent.put(n, n);
            assert_eq!(recent.get(&0), Some(0), "used again and again");
        }
        assert_eq!(recent.get(&1), None);
        assert!(recent.newer.len() + recent.older.len() <= 6);
    }
}
