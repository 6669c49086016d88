//! The one function that reads the table.

use comanda_domain::actor::{Actor, ActorKind, Role, Roles};
use comanda_domain::ids::{BranchId, SessionId, TenantId};

use super::principal::{ApiKeyPrincipal, DinerPrincipal, Principal, StaffPrincipal, TablePrincipal};
use super::table::{Action, ApiScope, Mark, Reach, Rule, Scope};

/// To what the object of an action belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resource {
    /// The tenant.
    pub tenant: TenantId,
    /// The branch, unless the object belongs to the tenant as a whole.
    pub branch: Option<BranchId>,
    /// The session, if it belongs to one.
    pub session: Option<SessionId>,
}

impl Resource {
    /// An object of the tenant as a whole.
    pub fn of_tenant(tenant: TenantId) -> Self {
        Self {
            tenant,
            branch: None,
            session: None,
        }
    }

    /// An object of a branch.
    pub fn of_branch(tenant: TenantId, branch: BranchId) -> Self {
        Self {
            tenant,
            branch: Some(branch),
            session: None,
        }
    }

    /// An object of a session.
    pub fn of_session(tenant: TenantId, branch: BranchId, session: SessionId) -> Self {
        Self {
            tenant,
            branch: Some(branch),
            session: Some(session),
        }
    }
}

/// Proof that someone was allowed to do something. Only [`authorize`] makes one, so an [`Actor`] for a branch is
/// not to be had without asking.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Permit {
    action: Action,
    actor: Actor,
    resource: Resource,
}

impl Permit {
    /// What was allowed.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Who was allowed to do it, with the roles held in the branch of the object.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// To what the object belongs.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }
}

/// Why someone may not.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Denied {
    /// For this caller the object does not exist: it is another tenant's, another party's, or of a branch that was
    /// not given to the key.
    #[error("not found")]
    NotFound,
    /// The person lacks a suitable role in the branch.
    #[error("not allowed")]
    Forbidden {
        /// Roles that would do there; empty when only an owner may.
        required_roles: Vec<Role>,
    },
    /// The key was not given this scope.
    #[error("the key lacks the scope {0}")]
    ScopeMissing(Scope),
    /// No caller with this kind of credential may ever do this.
    #[error("credential of another kind")]
    WrongCredential,
    /// Someone at a table must register first.
    #[error("register first")]
    RegistrationRequired,
}

/// Asks the table. Conditions of the table are for the decision of the domain, and wrong states come later.
///
/// # Errors
/// [`Denied`] says why not: first whether the kind of credential fits, then whether the object exists for the
/// caller, then whether the roles or scopes suffice.
pub fn authorize(principal: &Principal, action: Action, resource: &Resource) -> Result<Permit, Denied> {
    let rule = action.rule();
    let actor = match principal {
        Principal::Staff(staff) => staff_actor(staff, &rule, resource),
        Principal::Diner(diner) => diner_actor(diner, &rule, resource),
        Principal::Table(table) => table_actor(table, &rule, resource),
        Principal::ApiKey(key) => key_actor(key, &rule, resource),
    }?;
    Ok(Permit {
        action,
        actor,
        resource: *resource,
    })
}

fn staff_actor(staff: &StaffPrincipal, rule: &Rule, resource: &Resource) -> Result<Actor, Denied> {
    if !rule.is_for_staff() {
        return Err(Denied::WrongCredential);
    }
    if staff.tenant != resource.tenant {
        return Err(Denied::NotFound);
    }
    let here = resource
        .branch
        .map_or(Roles::NONE, |branch| staff.roles_in(branch));
    let counted = match (rule.reach, resource.branch) {
        (Reach::Tenant, None) => staff.roles_anywhere(),
        _ => here,
    };
    let as_owner = staff.owner && rule.owner() != Mark::Denied;
    if as_owner || rule.admits(counted) {
        Ok(Actor::user(staff.user, here))
    } else {
        Err(Denied::Forbidden {
            required_roles: rule.roles(),
        })
    }
}

fn diner_actor(diner: &DinerPrincipal, rule: &Rule, resource: &Resource) -> Result<Actor, Denied> {
    // Registering is what a table token is for; a diner already is registered.
    if rule.diner() == Mark::Denied || rule.action == Action::DinerRegister {
        return Err(Denied::WrongCredential);
    }
    let own = Resource::of_session(diner.tenant, diner.branch, diner.session);
    in_own_session(&own, rule, resource)?;
    Ok(Actor::diner(diner.diner))
}

fn table_actor(table: &TablePrincipal, rule: &Rule, resource: &Resource) -> Result<Actor, Denied> {
    if rule.diner() == Mark::Denied {
        return Err(Denied::WrongCredential);
    }
    if !matches!(
        rule.action,
        Action::SessionRead | Action::MenuRead | Action::DinerRegister
    ) {
        return Err(Denied::RegistrationRequired);
    }
    let own = Resource::of_session(table.tenant, table.branch, table.session);
    in_own_session(&own, rule, resource)?;
    Ok(Actor {
        kind: ActorKind::Diner,
        id: None,
        roles: Roles::NONE,
    })
}

/// Where the scope depends on the event, the key is let through and each event is judged by itself.
fn key_actor(key: &ApiKeyPrincipal, rule: &Rule, resource: &Resource) -> Result<Actor, Denied> {
    if rule.scope == ApiScope::Never {
        return Err(Denied::WrongCredential);
    }
    let within = match (resource.branch, rule.reach) {
        (Some(branch), _) => key.branches.contains(&branch),
        (None, Reach::Tenant) => !key.branches.is_empty(),
        (None, Reach::Branch | Reach::Session) => false,
    };
    if key.tenant != resource.tenant || !within {
        return Err(Denied::NotFound);
    }
    match rule.scope {
        ApiScope::Of(scope) if !key.scopes.contains(&scope) => Err(Denied::ScopeMissing(scope)),
        scope => Ok(Actor::api_key(key.id, acting_roles(scope))),
    }
}

/// Whatever moves tickets or says what is sold out is a machine of the kitchen, and the domain treats it as one of
/// the kitchen. With every other scope a key reads, or manages what is its own.
fn acting_roles(scope: ApiScope) -> Roles {
    match scope {
        ApiScope::Of(Scope::TicketsWrite | Scope::MenuWrite) => Roles::NONE.with(Role::Kitchen),
        ApiScope::Of(_) | ApiScope::ByEvent | ApiScope::Any | ApiScope::Never => Roles::NONE,
    }
}

/// Guests see nothing outside their session, and of the branch and tenant around it what has no session.
fn in_own_session(own: &Resource, rule: &Rule, resource: &Resource) -> Result<(), Denied> {
    let same_branch = resource.branch.is_none() || resource.branch == own.branch;
    let same_session = match resource.session {
        Some(_) => resource.session == own.session,
        None => rule.reach != Reach::Session,
    };
    if resource.tenant == own.tenant && same_branch && same_session {
        Ok(())
    } else {
        Err(Denied::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use comanda_domain::ids::{DinerId, FamilyId, UserId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::api_key::KeyId;
    use crate::policy::RULES;

    const A: u128 = 10;
    const B: u128 = 11;

    fn id<T: From<Uuid>>(bits: u128) -> T {
        T::from(Uuid::from_u128(bits))
    }

    fn staff(owner: bool, grants: &[(u128, &[Role])]) -> StaffPrincipal {
        let roles = |roles: &[Role]| roles.iter().copied().collect();
        StaffPrincipal {
            tenant: id(1),
            user: id(2),
            family: id::<FamilyId>(3),
            epoch: 0,
            owner,
            grants: grants
                .iter()
                .map(|(branch, held)| (id(*branch), roles(held)))
                .collect(),
        }
    }

    fn may(staff: &StaffPrincipal, action: Action, resource: &Resource) -> Result<Actor, Denied> {
        authorize(&Principal::Staff(staff.clone()), action, resource).map(|permit| *permit.actor())
    }

    fn in_branch(branch: u128) -> Resource {
        Resource::of_session(id(1), id(branch), id(20))
    }

    fn diner() -> Principal {
        Principal::Diner(DinerPrincipal {
            tenant: id(1),
            branch: id(A),
            session: id(20),
            seating: 1,
            diner: id(5),
        })
    }

    fn table() -> Principal {
        Principal::Table(TablePrincipal {
            tenant: id(1),
            branch: id(A),
            session: id(20),
            seating: 1,
        })
    }

    fn key(branches: &[u128], scopes: &[Scope]) -> Principal {
        Principal::ApiKey(ApiKeyPrincipal {
            tenant: id(1),
            id: id(6),
            key_id: KeyId::parse("041061050r3gg28a").unwrap(),
            name: "Till".to_owned(),
            branches: branches.iter().map(|branch| id(*branch)).collect(),
            scopes: scopes.to_vec(),
        })
    }

    #[test]
    fn a_key_needs_its_scope() {
        let reader = key(&[A], &[Scope::TicketsRead]);
        let actor = *authorize(&reader, Action::TicketRead, &in_branch(A))
            .unwrap()
            .actor();
        let expected = Actor {
            kind: ActorKind::ApiKey,
            id: Some(Uuid::from_u128(6)),
            roles: Roles::NONE,
        };
        assert_eq!(actor, expected);
        assert_eq!(
            authorize(&reader, Action::TicketStart, &in_branch(A)),
            Err(Denied::ScopeMissing(Scope::TicketsWrite))
        );
    }

    #[test]
    fn a_key_acts_as_the_kitchen_where_it_does_the_kitchens_work() {
        let all = key(&[A], Scope::ALL);
        let kitchens = [
            Action::AvailabilitySet,
            Action::TicketStart,
            Action::TicketReady,
            Action::TicketRecall,
            Action::TicketDeliver,
        ];
        for rule in RULES.iter().filter(|rule| rule.scope != ApiScope::Never) {
            let actor = *authorize(&all, rule.action, &in_branch(A)).unwrap().actor();
            let expected = if kitchens.contains(&rule.action) {
                assert_eq!(rule.role(Role::Kitchen), Mark::Allowed, "{}", rule.action);
                Roles::NONE.with(Role::Kitchen)
            } else {
                Roles::NONE
            };
            assert_eq!(actor.roles, expected, "{}", rule.action);
        }
    }

    #[test]
    fn a_key_finds_nothing_outside_its_branches() {
        let all = key(&[A], Scope::ALL);
        for resource in [
            in_branch(B),
            Resource::of_branch(id(1), id(B)),
            // What belongs to a branch is to be asked for with the branch.
            Resource::of_tenant(id(1)),
        ] {
            let denied = authorize(&all, Action::TicketRead, &resource);
            assert_eq!(denied, Err(Denied::NotFound), "{resource:?}");
        }
        // Existence comes before scopes: a foreign branch does not show in the answer.
        let nothing = key(&[A], &[]);
        assert_eq!(
            authorize(&nothing, Action::TicketRead, &in_branch(B)),
            Err(Denied::NotFound)
        );
    }

    #[test]
    fn what_the_tenant_shares_is_open_to_keys_with_a_branch() {
        let tenant = Resource::of_tenant(id(1));
        for action in [Action::CatalogueRead, Action::WebhookManage, Action::SelfManage] {
            assert!(
                authorize(&key(&[A], Scope::ALL), action, &tenant).is_ok(),
                "{action}"
            );
            assert_eq!(
                authorize(&key(&[], Scope::ALL), action, &tenant),
                Err(Denied::NotFound),
                "{action}"
            );
        }
    }

    #[test]
    fn each_scope_decides_its_cell() {
        for rule in RULES {
            let with_all = authorize(&key(&[A], Scope::ALL), rule.action, &in_branch(A));
            let with_none = authorize(&key(&[A], &[]), rule.action, &in_branch(A));
            match rule.scope {
                ApiScope::Never => {
                    assert_eq!(with_all, Err(Denied::WrongCredential), "{}", rule.action);
                    assert_eq!(with_none, Err(Denied::WrongCredential), "{}", rule.action);
                }
                ApiScope::Of(scope) => {
                    assert!(with_all.is_ok(), "{}", rule.action);
                    assert_eq!(with_none, Err(Denied::ScopeMissing(scope)), "{}", rule.action);
                    let with_it = authorize(&key(&[A], &[scope]), rule.action, &in_branch(A));
                    assert!(with_it.is_ok(), "{}", rule.action);
                }
                ApiScope::ByEvent | ApiScope::Any => {
                    assert!(with_all.is_ok() && with_none.is_ok(), "{}", rule.action);
                }
            }
        }
    }

    #[test]
    fn rights_are_per_branch() {
        let caro = staff(false, &[(A, &[Role::Waiter]), (B, &[Role::Manager])]);
        let waiter = Actor::user(id::<UserId>(2), Roles::NONE.with(Role::Waiter));
        let manager = Actor::user(id::<UserId>(2), Roles::NONE.with(Role::Manager));
        assert_eq!(may(&caro, Action::RoundConfirm, &in_branch(A)), Ok(waiter));
        assert_eq!(may(&caro, Action::CheckDiscount, &in_branch(B)), Ok(manager));
        assert_eq!(
            may(&caro, Action::CheckDiscount, &in_branch(A)),
            Err(Denied::Forbidden {
                required_roles: vec![Role::Manager, Role::Admin]
            })
        );
    }

    #[test]
    fn roles_in_one_branch_add_up() {
        let split = staff(false, &[(A, &[Role::Waiter]), (A, &[Role::Kitchen])]);
        for action in [Action::RoundConfirm, Action::TicketStart] {
            let actor = may(&split, action, &in_branch(A)).unwrap();
            assert!(actor.roles.has(Role::Waiter) && actor.roles.has(Role::Kitchen));
        }
    }

    #[test]
    fn owners_manage_and_do_not_operate() {
        let owner = staff(true, &[]);
        let nobody = Actor::user(id::<UserId>(2), Roles::NONE);
        let tenant = Resource::of_tenant(id(1));
        for action in [
            Action::CatalogueWrite,
            Action::BranchCreate,
            Action::UserCreate,
            Action::ApiKeyManage,
        ] {
            assert_eq!(may(&owner, action, &tenant), Ok(nobody), "{action}");
        }
        assert_eq!(
            may(&owner, Action::BranchUpdate, &Resource::of_branch(id(1), id(A))),
            Ok(nobody)
        );
        assert!(matches!(
            may(&owner, Action::SessionRead, &in_branch(A)),
            Err(Denied::Forbidden { .. })
        ));
        let admin = staff(false, &[(A, &[Role::Admin])]);
        assert_eq!(
            may(&admin, Action::TenantManage, &tenant),
            Err(Denied::Forbidden {
                required_roles: vec![]
            })
        );
    }

    #[test]
    fn what_belongs_to_a_branch_needs_the_branch() {
        let manager = staff(false, &[(A, &[Role::Manager])]);
        let tenant = Resource::of_tenant(id(1));
        assert!(matches!(
            may(&manager, Action::FloorManage, &tenant),
            Err(Denied::Forbidden { .. })
        ));
        assert!(matches!(
            may(&manager, Action::UserCreate, &tenant),
            Err(Denied::Forbidden { .. })
        ));
        // Reading what the tenant shares carries no role of a branch with it.
        let actor = may(&manager, Action::CatalogueRead, &tenant).unwrap();
        assert_eq!(actor.roles, Roles::NONE);
    }

    #[test]
    fn an_empty_list_of_grants_allows_nothing() {
        let nobody = staff(false, &[]);
        for action in Action::ALL {
            for resource in [Resource::of_tenant(id(1)), in_branch(A)] {
                assert!(may(&nobody, *action, &resource).is_err(), "{action}");
            }
        }
    }

    #[test]
    fn another_tenants_object_is_absent_for_everyone() {
        let foreign = Resource::of_session(id(9), id(A), id(20));
        let all = staff(true, &[(A, Role::ALL)]);
        for action in Action::ALL {
            for principal in [
                Principal::Staff(all.clone()),
                diner(),
                table(),
                key(&[A], Scope::ALL),
            ] {
                let denied = authorize(&principal, *action, &foreign).unwrap_err();
                let absent = matches!(
                    denied,
                    Denied::NotFound | Denied::WrongCredential | Denied::RegistrationRequired
                );
                assert!(absent, "{action} {denied:?}");
            }
        }
        assert_eq!(may(&all, Action::RoundConfirm, &foreign), Err(Denied::NotFound));
        assert_eq!(
            authorize(&diner(), Action::RoundPlace, &foreign),
            Err(Denied::NotFound)
        );
        assert_eq!(
            authorize(&table(), Action::SessionRead, &foreign),
            Err(Denied::NotFound)
        );
    }

    #[test]
    fn diners_act_in_their_own_session() {
        let permit = authorize(&diner(), Action::RoundPlace, &in_branch(A)).unwrap();
        assert_eq!(permit.actor(), &Actor::diner(id::<DinerId>(5)));
        assert_eq!(
            (permit.action(), permit.resource()),
            (Action::RoundPlace, &in_branch(A))
        );
        for elsewhere in [
            Resource::of_session(id(1), id(A), id(21)),
            Resource::of_session(id(1), id(B), id(20)),
            Resource::of_branch(id(1), id(A)),
            Resource::of_tenant(id(1)),
        ] {
            let denied = authorize(&diner(), Action::RoundPlace, &elsewhere);
            assert_eq!(denied, Err(Denied::NotFound), "{elsewhere:?}");
        }
        assert!(authorize(&diner(), Action::MenuRead, &Resource::of_branch(id(1), id(A))).is_ok());
        assert!(authorize(&diner(), Action::DeviceForget, &Resource::of_tenant(id(1))).is_ok());
        let other_menu = authorize(&diner(), Action::MenuRead, &Resource::of_branch(id(1), id(B)));
        assert_eq!(other_menu, Err(Denied::NotFound));
    }

    #[test]
    fn credentials_of_another_kind_are_told_so() {
        let waiter = staff(false, &[(A, &[Role::Waiter])]);
        assert_eq!(
            may(&waiter, Action::CartWrite, &in_branch(A)),
            Err(Denied::WrongCredential)
        );
        assert_eq!(
            may(&waiter, Action::WebhookManage, &in_branch(A)),
            Err(Denied::WrongCredential)
        );
        for action in [Action::RoundConfirm, Action::DinerRegister, Action::SelfManage] {
            assert_eq!(
                authorize(&diner(), action, &in_branch(A)),
                Err(Denied::WrongCredential),
                "{action}"
            );
        }
        assert_eq!(
            authorize(&table(), Action::RoundConfirm, &in_branch(A)),
            Err(Denied::WrongCredential)
        );
    }

    #[test]
    fn a_table_token_reads_and_registers_only() {
        for action in Action::ALL
            .iter()
            .filter(|action| action.rule().diner() != Mark::Denied)
        {
            let answer = authorize(&table(), *action, &in_branch(A));
            match action {
                Action::SessionRead | Action::MenuRead | Action::DinerRegister => {
                    let actor = *answer.unwrap().actor();
                    assert_eq!((actor.kind, actor.id), (ActorKind::Diner, None));
                }
                _ => assert_eq!(answer, Err(Denied::RegistrationRequired), "{action}"),
            }
        }
    }

    #[test]
    fn each_mark_decides_its_cell() {
        for rule in RULES {
            for role in Role::ALL {
                let answer = may(&staff(false, &[(A, &[*role])]), rule.action, &in_branch(A));
                assert_eq!(
                    answer.is_ok(),
                    rule.role(*role) != Mark::Denied,
                    "{} {role}",
                    rule.action
                );
            }
            let answer = may(&staff(true, &[]), rule.action, &in_branch(A));
            assert_eq!(
                answer.is_ok(),
                rule.owner() != Mark::Denied,
                "{} owner",
                rule.action
            );
        }
    }

    fn any_action() -> impl Strategy<Value = Action> {
        prop::sample::select(Action::ALL)
    }

    fn any_staff() -> impl Strategy<Value = StaffPrincipal> {
        let roles = prop::sample::subsequence(Role::ALL.to_vec(), 0..=4);
        let grants = prop::collection::vec((A..A + 4, roles), 0..6);
        (any::<bool>(), grants).prop_map(|(owner, grants)| {
            let grants: Vec<_> = grants
                .iter()
                .map(|(branch, roles)| (*branch, roles.as_slice()))
                .collect();
            staff(owner, &grants)
        })
    }

    proptest! {
        // P16
        #[test]
        fn rights_in_a_branch_depend_only_on_its_grants(
            staff in any_staff(), action in any_action(), branch in A..A + 4,
        ) {
            let here = StaffPrincipal {
                grants: staff.grants.iter().copied().filter(|(granted, _)| *granted == id(branch)).collect(),
                ..staff.clone()
            };
            prop_assert_eq!(may(&staff, action, &in_branch(branch)), may(&here, action, &in_branch(branch)));
        }

        #[test]
        fn the_owner_flag_gives_nothing_where_owners_have_no_mark(
            staff in any_staff(), action in any_action(), branch in A..A + 4,
        ) {
            prop_assume!(action.rule().owner() == Mark::Denied);
            let with = StaffPrincipal { owner: true, ..staff.clone() };
            let without = StaffPrincipal { owner: false, ..staff };
            prop_assert_eq!(may(&with, action, &in_branch(branch)), may(&without, action, &in_branch(branch)));
        }

        #[test]
        fn a_key_may_in_a_branch_what_its_scopes_say_and_no_more(
            scopes in prop::sample::subsequence(Scope::ALL.to_vec(), 0..=Scope::ALL.len()),
            branches in prop::collection::vec(A..A + 4, 0..4),
            action in any_action(),
            branch in A..A + 4,
        ) {
            let may = authorize(&key(&branches, &scopes), action, &in_branch(branch)).is_ok();
            let scoped = match action.rule().scope {
                ApiScope::Never => false,
                ApiScope::Of(scope) => scopes.contains(&scope),
                ApiScope::ByEvent | ApiScope::Any => true,
            };
            prop_assert_eq!(may, scoped && branches.contains(&branch));
        }

        #[test]
        fn a_further_grant_never_takes_a_right_away(
            staff in any_staff(), action in any_action(), role in prop::sample::select(Role::ALL),
        ) {
            let mut more = staff.clone();
            more.grants.push((id(A), Roles::NONE.with(role)));
            for resource in [in_branch(A), Resource::of_tenant(id(1))] {
                if may(&staff, action, &resource).is_ok() {
                    prop_assert!(may(&more, action, &resource).is_ok());
                }
            }
        }
    }
}
