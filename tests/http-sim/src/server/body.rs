//! Bodies of answers, whole or piece by piece.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use super::connection::Busy;
use crate::service::Service;

/// The end of its sender is its end.
#[derive(Debug)]
pub(super) struct Pieces<S: Service> {
    coming: mpsc::Receiver<Bytes>,
    /// Known in full from the start.
    whole: Option<u64>,
    /// Its connection is not idle before it is sent.
    _busy: Busy<S>,
}

impl<S: Service> Pieces<S> {
    pub(super) fn whole(body: Bytes, busy: Busy<S>) -> Self {
        let (sender, coming) = mpsc::channel(1);
        let whole = u64::try_from(body.len()).ok();
        if !body.is_empty() {
            // There is room for one.
            drop(sender.try_send(body));
        }
        Self { coming, whole, _busy: busy }
    }

    /// With the end that feeds it.
    pub(super) fn fed(busy: Busy<S>) -> (mpsc::Sender<Bytes>, Self) {
        let (sender, coming) = mpsc::channel(1);
        (sender, Self { coming, whole: None, _busy: busy })
    }
}

impl<S: Service> Body for Pieces<S> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.coming.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.whole == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.whole.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
