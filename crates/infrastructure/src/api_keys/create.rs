//! A new key. Its secret is in this answer and never again.

use chrono::{DateTime, Utc};
use comanda_domain::audit::AuditEntry;
use comanda_domain::ids::{ApiKeyId, BranchId, IdSource};
use comanda_security::SystemEntropy;
use comanda_security::api_key::{IpNet, KeyEnvironment, issue};
use comanda_security::policy::{Action, Scope};
use comanda_security::signing::SigningSecret;

use super::manager::KeyManager;
use super::rows::{ApiKeyBranchRow, ApiKeyRow};
use super::{ApiKeyService, secrets, store};
use crate::db::{Act, Ask, Locks};
use crate::idempotency::Stored;
use crate::refusal::Refusal;
use crate::views::issued_key;

/// What a key shall be.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// What its owner calls it.
    pub name: String,
    /// What it may, in ascending order.
    pub scopes: Vec<Scope>,
    /// Where it acts, in ascending order.
    pub branches: Vec<BranchId>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// From where it may be used: from anywhere without a list.
    pub ip_allow: Option<Vec<IpNet>>,
    /// Whether it signs its requests, and is never sent.
    pub requires_signature: bool,
}

struct Ground {
    environment: KeyEnvironment,
    live: Vec<BranchId>,
}

impl ApiKeyService {
    /// Makes a key: 201 with the whole key.
    ///
    /// # Errors
    /// `forbidden`, `not_found` for a branch that is not the tenant's, `validation_failed` for an end in the past.
    pub async fn create(&self, ask: &Ask, who: &KeyManager<'_>, new: &NewApiKey) -> Result<Stored, Refusal> {
        self.db
            .write(
                ask,
                Locks::none(),
                async |conn| {
                    let (sandbox, live) = store::ground(conn, ask.tenant, &new.branches).await?;
                    let environment = if sandbox {
                        KeyEnvironment::Test
                    } else {
                        KeyEnvironment::Live
                    };
                    Ok(Ground { environment, live })
                },
                |ground, act| self.decide(&ground, act, who, new),
            )
            .await
    }

    fn decide(
        &self,
        ground: &Ground,
        act: &mut Act<'_>,
        who: &KeyManager<'_>,
        new: &NewApiKey,
    ) -> Result<Stored, Refusal> {
        let tenant = act.ask.tenant;
        who.may(tenant)?;
        if new.branches.iter().any(|branch| !ground.live.contains(branch)) {
            return Err(Refusal::NotFound);
        }
        if new.expires_at.is_some_and(|end| end <= act.now) {
            return Err(Refusal::Invalid {
                pointer: "/expires_at".to_owned(),
                code: "too_small",
                detail: "must be in the future".to_owned(),
            });
        }
        let issued = issue(ground.environment, &SystemEntropy::new())
            .map_err(|error| Refusal::Internal(error.to_string()))?;
        let mac = self.peppers.mac(&issued.secret);
        let (signing, sealed_signing_secret) = if new.requires_signature {
            let (secret, sealed) = secrets::fresh(&self.seal, tenant.0, issued.key_id.as_str())?;
            (Some(secret), Some(sealed))
        } else {
            (None, None)
        };
        let id: ApiKeyId = act.ids.next();
        let row = ApiKeyRow {
            tenant_id: tenant.0,
            id: id.0,
            name: new.name.clone(),
            key_id: issued.key_id.to_string(),
            environment: ground.environment.as_str().to_owned(),
            secret_mac: mac.mac,
            pepper_id: mac.pepper_id,
            previous_mac: None,
            previous_pepper_id: None,
            previous_valid_until: None,
            sealed_signing_secret,
            previous_sealed_signing_secret: None,
            scopes: new.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            ip_allow: new
                .ip_allow
                .as_ref()
                .map(|list| list.iter().map(ToString::to_string).collect()),
            requires_signature: new.requires_signature,
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
            revoked_by: None,
            version: 1,
            created_at: act.now,
            deleted_at: None,
        };
        act.rows.insert(&row);
        for branch in &new.branches {
            act.rows.insert(&ApiKeyBranchRow {
                tenant_id: tenant.0,
                api_key_id: id.0,
                branch_id: branch.0,
                created_at: act.now,
            });
        }
        let entry = AuditEntry::new(Action::ApiKeyManage.as_str(), "api_key", id.0)
            .set("name", row.name.clone())
            .set("key_id", row.key_id.clone())
            .set("scopes", row.scopes.join(" "))
            .set("branches", joined(&new.branches));
        who.trace(act, &entry);
        let signing = signing.as_ref().map(SigningSecret::text);
        let view = issued_key(&row, &new.branches, act.now, &issued.text, signing.as_ref());
        Ok(Stored::new(201, &view)?
            .version(row.version)
            .location(format!("{}{id}", act.ask.found_at)))
    }
}

fn joined(branches: &[BranchId]) -> String {
    let ids: Vec<String> = branches.iter().map(ToString::to_string).collect();
    ids.join(" ")
}
