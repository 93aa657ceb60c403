//! Equal requests at the same time are one request; each caller gets its answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};

use super::GatewayError;

/// An answer that several callers may await.
pub(super) type Answer<T> = Shared<BoxFuture<'static, Result<T, GatewayError>>>;

type ByRequest<T> = HashMap<Arc<str>, WeakShared<BoxFuture<'static, Result<T, GatewayError>>>>;

/// Requests under way, by what they ask. The last caller that gives up withdraws the request: dropping its handle
/// drops the future.
#[derive(Debug)]
pub(super) struct UnderWay<T>(Arc<Mutex<ByRequest<T>>>);

impl<T> Clone for UnderWay<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for UnderWay<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> UnderWay<T> {
    /// The request of that name that is under way, or a new one.
    pub(super) fn join_or(
        &self,
        request: Arc<str>,
        new: impl FnOnce() -> BoxFuture<'static, Result<T, GatewayError>>,
    ) -> Answer<T> {
        let mut by_request = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = by_request.get(&request).and_then(WeakShared::upgrade).filter(|answer| answer.peek().is_none());
        if let Some(answer) = under_way {
            return answer;
        }
        by_request.retain(|_, answer| answer.upgrade().is_some_and(|answer| answer.peek().is_none()));
        let answer = new().shared();
        if let Some(weak) = answer.downgrade() {
            by_request.insert(request, weak);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    fn ask(under_way: &UnderWay<u32>, asked: &mut Vec<oneshot::Sender<u32>>, request: &str) -> Answer<u32> {
        under_way.join_or(request.into(), || {
            let (reply, answer) = oneshot::channel();
            asked.push(reply);
            answer.map(|answer| answer.map_err(|_| GatewayError::Lost)).boxed()
        })
    }

    #[tokio::test]
    async fn equal_requests_are_asked_once_and_different_ones_each() {
        let (under_way, mut asked) = (UnderWay::default(), Vec::new());
        let answers = ["a", "a", "b"].map(|request| ask(&under_way, &mut asked, request));
        assert_eq!(asked.len(), 2);
        for (nth, reply) in asked.drain(..).enumerate() {
            reply.send(u32::try_from(nth).unwrap()).unwrap();
        }
        let [one, two, three] = answers;
        assert_eq!((one.await.unwrap(), two.await.unwrap(), three.await.unwrap()), (0, 0, 1));
        let again = ask(&under_way, &mut asked, "a");
        assert_eq!(asked.len(), 1, "an answer is not kept for later");
        drop(again);
    }

    #[tokio::test]
    async fn only_the_last_who_gives_up_withdraws_it() {
        let (under_way, mut asked) = (UnderWay::default(), Vec::new());
        let (one, two) = (ask(&under_way, &mut asked, "a"), ask(&under_way, &mut asked, "a"));
        drop(one);
        assert!(!asked[0].is_closed());
        drop(two);
        assert!(asked[0].is_closed());
        let again = ask(&under_way, &mut asked, "a");
        assert_eq!(asked.len(), 2, "it is gone");
        drop(again);
    }
}
