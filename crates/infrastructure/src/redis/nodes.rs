//! Connections of one's own, for what waits: never from the pool.

use std::ops::RangeInclusive;
use std::time::Duration;

use deadpool_redis::redis::aio::{MultiplexedConnection, PubSub};
use deadpool_redis::redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo,
    Value, cmd, from_redis_value, pipe,
};
use futures_util::future::try_join_all;
use secrecy::ExposeSecret;
use tokio::time::timeout;

use super::keys::StreamKey;
use super::{RedisAddress, RedisConfig, RedisError, Topology};

/// How long finding a server may take: several hosts are asked, one after the other.
const FIND: Duration = Duration::from_secs(5);

pub(super) struct Nodes {
    address: RedisAddress,
    patience: Duration,
}

/// A server and what it holds.
struct Master {
    client: Client,
    slots: Vec<RangeInclusive<u16>>,
}

impl Nodes {
    pub(super) fn new(config: &RedisConfig) -> Self {
        Self {
            address: config.address.clone(),
            patience: config.timeout,
        }
    }

    pub(super) async fn masters(&self) -> Result<Vec<MultiplexedConnection>, RedisError> {
        let masters = match self.address.topology {
            Topology::Cluster => self.parts().await?.into_iter().map(|part| part.client).collect(),
            _ => vec![self.contact().await?],
        };
        try_join_all(masters.iter().map(|client| self.connect(client))).await
    }

    /// In a Cluster a command has keys of one slot only, so each stream gets a connection.
    pub(super) async fn readers(
        &self,
        keys: Vec<StreamKey>,
    ) -> Result<Vec<(MultiplexedConnection, Vec<StreamKey>)>, RedisError> {
        if self.address.topology != Topology::Cluster {
            let connection = self.connect(&self.contact().await?).await?;
            return Ok(vec![(connection, keys)]);
        }
        let parts = self.parts().await?;
        let slots = self.slots(&keys).await?;
        try_join_all(keys.into_iter().zip(slots).map(async |(key, slot)| {
            let holds = |part: &&Master| part.slots.iter().any(|slots| slots.contains(&slot));
            let part = parts
                .iter()
                .find(holds)
                .ok_or(RedisError::Unexpected("a slot that no server holds"))?;
            Ok((self.connect(&part.client).await?, vec![key]))
        }))
        .await
    }

    pub(super) async fn listen(&self, pattern: &str) -> Result<PubSub, RedisError> {
        let client = self.contact().await?;
        timeout(self.patience, async {
            let mut listening = client.get_async_pubsub().await?;
            listening.psubscribe(pattern).await?;
            Ok(listening)
        })
        .await
        .unwrap_or(Err(RedisError::Late(self.patience)))
    }

    /// A server that can be asked for anything but, in a Cluster, the keys of others.
    async fn contact(&self) -> Result<Client, RedisError> {
        let infos = infos(&self.address);
        match &self.address.topology {
            Topology::Single => client(infos.into_iter().next()),
            Topology::Sentinel(name) => {
                let node =
                    SentinelNodeConnectionInfo::default().set_redis_connection_info(settings(&self.address));
                let master = SentinelServerType::Master;
                let mut sentinels = SentinelClient::build(infos, name.clone(), Some(node), master)?;
                timeout(FIND, sentinels.async_get_client())
                    .await
                    .map_err(|_| RedisError::Late(FIND))?
                    .map_err(Into::into)
            }
            Topology::Cluster => {
                let mut last = RedisError::Unexpected("a Cluster without hosts");
                for info in infos {
                    let client = client(Some(info))?;
                    match self.connect(&client).await {
                        Ok(_) => return Ok(client),
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }

    /// The masters of a Cluster.
    async fn parts(&self) -> Result<Vec<Master>, RedisError> {
        let contact = self.contact().await?;
        let rows: Vec<Vec<Value>> = self
            .asked(&contact, async |connection| {
                cmd("CLUSTER").arg("SLOTS").query_async(connection).await
            })
            .await?;
        let mut found: Vec<(ConnectionAddr, Master)> = Vec::new();
        for row in rows {
            let (slots, host, port) = master(row).ok_or(RedisError::Unexpected("slots of another form"))?;
            // A server that does not know its own address is where it was asked.
            let addr = match (
                host.filter(|host| !host.is_empty()),
                contact.get_connection_info().addr(),
            ) {
                (Some(host), _) => ConnectionAddr::Tcp(host, port),
                (None, ConnectionAddr::Tcp(host, _)) => ConnectionAddr::Tcp(host.clone(), port),
                (None, _) => return Err(RedisError::Unexpected("a server without an address")),
            };
            if let Some((_, known)) = found.iter_mut().find(|(known, _)| *known == addr) {
                known.slots.push(slots);
                continue;
            }
            let new = Master {
                client: client(info(&self.address, addr.clone()))?,
                slots: vec![slots],
            };
            found.push((addr, new));
        }
        Ok(found.into_iter().map(|(_, part)| part).collect())
    }

    async fn slots(&self, keys: &[StreamKey]) -> Result<Vec<u16>, RedisError> {
        let mut asking = pipe();
        for key in keys {
            asking.cmd("CLUSTER").arg("KEYSLOT").arg(key.to_string());
        }
        let contact = self.contact().await?;
        self.asked(&contact, async |connection| asking.query_async(connection).await)
            .await
    }

    async fn asked<T>(
        &self,
        client: &Client,
        ask: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, deadpool_redis::redis::RedisError>,
    ) -> Result<T, RedisError> {
        let mut connection = self.connect(client).await?;
        timeout(self.patience, ask(&mut connection))
            .await
            .map_err(|_| RedisError::Late(self.patience))?
            .map_err(Into::into)
    }

    /// Whoever asks on it sets the limits: it may wait for ever.
    async fn connect(&self, client: &Client) -> Result<MultiplexedConnection, RedisError> {
        let limits = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.patience))
            .set_response_timeout(None);
        timeout(
            self.patience,
            client.get_multiplexed_async_connection_with_config(&limits),
        )
        .await
        .map_err(|_| RedisError::Late(self.patience))?
        .map_err(Into::into)
    }
}

/// What a server of a Cluster says of a range of slots: from, to, then the servers that hold them, the master first;
/// of each the host, the port, and more.
fn master(row: Vec<Value>) -> Option<(RangeInclusive<u16>, Option<String>, u16)> {
    let mut row = row.into_iter();
    let (from, to) = (row.next()?, row.next()?);
    let server: Vec<Value> = from_redis_value(row.next()?).ok()?;
    let mut server = server.into_iter();
    let (host, port) = (server.next()?, server.next()?);
    Some((
        from_redis_value(from).ok()?..=from_redis_value(to).ok()?,
        from_redis_value(host).ok()?,
        from_redis_value(port).ok()?,
    ))
}

fn client(info: Option<ConnectionInfo>) -> Result<Client, RedisError> {
    Ok(Client::open(info.ok_or(RedisError::Unexpected("no host"))?)?)
}

/// Who we are at the servers that hold data.
pub(super) fn settings(address: &RedisAddress) -> RedisConnectionInfo {
    let mut settings = RedisConnectionInfo::default().set_db(address.database);
    if let Some(username) = &address.username {
        settings = settings.set_username(username);
    }
    if let Some(password) = &address.password {
        settings = settings.set_password(password.expose_secret());
    }
    settings
}

/// The hosts that the address names.
pub(super) fn infos(address: &RedisAddress) -> Vec<ConnectionInfo> {
    let hosts = address.hosts.iter().cloned();
    hosts
        .filter_map(|(host, port)| info(address, ConnectionAddr::Tcp(host, port)))
        .collect()
}

fn info(address: &RedisAddress, addr: ConnectionAddr) -> Option<ConnectionInfo> {
    // A host and a port are always an address.
    let info = addr.into_connection_info().ok()?;
    Some(match address.topology {
        // Sentinels are asked without credentials.
        Topology::Sentinel(_) => info,
        _ => info.set_redis_settings(settings(address)),
    })
}
