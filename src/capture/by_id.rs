use std::collections::VecDeque;

/// Values in the order of their ids. Ids arrive almost in order, so that the end of a
/// double-ended queue is nearly always the right place, and a late one is put in near it.
pub(super) struct ById<T>(VecDeque<(u64, T)>);

impl<T> Default for ById<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> ById<T> {
    /// Puts a value in its place and hands back the one that had the same id.
    pub(super) fn insert(&mut self, id: u64, value: T) -> Option<T> {
        if self.newest().is_none_or(|newest| newest < id) {
            self.0.push_back((id, value));
            return None;
        }
        match self.find(id) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (id, value));
                None
            }
        }
    }

    pub(super) fn pop_oldest(&mut self) -> Option<(u64, T)> {
        self.0.pop_front()
    }

    pub(super) fn get(&self, id: u64) -> Option<&T> {
        self.find(id).ok().map(|at| &self.0[at].1)
    }

    pub(super) fn at(&self, index: usize) -> Option<&T> {
        self.0.get(index).map(|(_, value)| value)
    }

    /// Where an id is, or where it would be.
    pub(super) fn find(&self, id: u64) -> Result<usize, usize> {
        // Without gaps the place follows from the first id.
        let guess = usize::try_from(id.wrapping_sub(self.oldest().unwrap_or(id)));
        if let Ok(at) = guess
            && self.0.get(at).is_some_and(|(found, _)| *found == id)
        {
            return Ok(at);
        }
        self.0.binary_search_by_key(&id, |(id, _)| *id)
    }

    pub(super) fn oldest(&self) -> Option<u64> {
        self.0.front().map(|(id, _)| *id)
    }

    pub(super) fn newest(&self) -> Option<u64> {
        self.0.back().map(|(id, _)| *id)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// A window by index, clamped to what is there.
    pub(super) fn window(
        &self,
        range: std::ops::Range<usize>,
    ) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        let end = range.end.min(self.len());
        self.0
            .range(range.start.min(end)..end)
            .map(|(_, value)| value)
    }
}
