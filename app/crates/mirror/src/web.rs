//! Conversations over `https://` and `http://`: gix's own, as far as is listened to.

use super::progress::Meter;
use gix::protocol::transport::client::blocking_io::http::reqwest::Remote;
use gix::protocol::transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use std::any::Any;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

type Result<T> = std::result::Result<T, gix::Error>;

/// A server on the web, of which no more is kept in memory than [`Meter::listens`] allows.
pub(super) struct Web {
    inner: Remote,
    meter: Arc<Meter>,
}

/// A body that comes from it.
pub(super) struct Heard {
    inner: <Remote as Http>::ResponseBody,
    meter: Arc<Meter>,
}

impl Web {
    pub(super) fn new(meter: &Arc<Meter>) -> Self {
        Self { inner: Remote::default(), meter: Arc::clone(meter) }
    }

    fn heard(&self, inner: <Remote as Http>::ResponseBody) -> Heard {
        Heard { inner, meter: Arc::clone(&self.meter) }
    }
}

impl Http for Web {
    type Headers = <Remote as Http>::Headers;
    type ResponseBody = Heard;
    type PostBody = <Remote as Http>::PostBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<GetResponse<Self::Headers, Heard>> {
        let GetResponse { headers, body } = self.inner.get(url, base_url, headers)?;
        Ok(GetResponse { headers, body: self.heard(body) })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        body: PostBodyDataKind,
    ) -> Result<PostResponse<Self::Headers, Heard, Self::PostBody>> {
        let PostResponse { post_body, headers, body } = self.inner.post(url, base_url, headers, body)?;
        Ok(PostResponse { post_body, headers, body: self.heard(body) })
    }

    fn configure(&mut self, config: &dyn Any) -> Result<()> {
        self.inner.configure(config)
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.inner.redirected_base_url()
    }
}

impl Read for Heard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.meter.listens()?;
        let count = self.inner.read(buffer)?;
        self.meter.hear(count);
        Ok(count)
    }
}

impl BufRead for Heard {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.meter.listens()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.meter.hear(count);
        self.inner.consume(count);
    }
}
