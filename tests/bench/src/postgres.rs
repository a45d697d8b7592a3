//! A PostgreSQL of the bench's own, which syncs to the disk as in production, or the one that was
//! named.

use postgres_fixture::{Cluster, programs};
use sqlx::{AnyConnection, Connection as _};
use std::path::Path;

/// A server. One of our own ends when this is dropped.
pub(crate) struct Postgres {
    /// Its address, with the database that is always there.
    url: String,
    own: Option<Cluster>,
}

impl Postgres {
    /// The one at an address, whose user may create databases.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), own: None }
    }

    /// Makes a cluster below this folder and starts it, with PostgreSQL's own defaults; `None`:
    /// there is none on this machine.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        let cluster = Cluster::start(&programs()?, folder, &[], &[]);
        Some(Self { url: cluster.url(cluster.port()), own: Some(cluster) })
    }

    /// Makes a database; its address.
    pub(crate) async fn create(&self, name: &str) -> String {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let mut url = url::Url::parse(&self.url).unwrap();
        url.set_path(name);
        url.into()
    }

    /// Takes a database away again, as only one that is not our own needs.
    pub(crate) async fn delete(&self, name: &str) {
        if self.own.is_none() {
            let mut connection = AnyConnection::connect(&self.url).await.unwrap();
            let sql = format!("DROP DATABASE IF EXISTS {name}");
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// The process whose children are all of it, where it is our own.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.own.as_ref()?.pid()
    }
}
