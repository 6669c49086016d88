//! The table itself.

use comanda_domain::actor::{Role, Roles};

/// What the table says of one kind of caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// May not.
    Denied,
    /// May.
    Allowed,
    /// May where the rule's condition holds; the decision of the domain checks it.
    Conditional,
}

use Mark::{Allowed as Y, Conditional as C, Denied as N};

/// To what the object of an action belongs, and so what a caller must share with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// To the tenant: a role held in any branch will do where no branch is named.
    Tenant,
    /// To a branch: only roles held there count.
    Branch,
    /// To a session: as a branch, and guests act in their own session only.
    Session,
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $(#[doc = concat!("`", $text, "`")] $variant),* }

        impl $name {
            /// Every value, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The names of all values.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// The name, as it is stored, logged and documented.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// Reads a name.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names! {
    /// What an API key may be given.
    Scope {
        MenuRead = "menu:read",
        MenuWrite = "menu:write",
        TablesRead = "tables:read",
        RoundsRead = "rounds:read",
        TicketsRead = "tickets:read",
        TicketsWrite = "tickets:write",
        ChecksRead = "checks:read",
        ReportsRead = "reports:read",
        WebhooksWrite = "webhooks:write",
    }
}

/// What an API key needs for an action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApiScope {
    /// No key may do it.
    Never,
    /// A key with this scope.
    Of(Scope),
    /// The scope depends on the event that is read.
    ByEvent,
    /// Every key, about itself.
    Any,
}

use ApiScope::{Any, ByEvent, Never, Of};
use Scope::{
    ChecksRead, MenuRead, MenuWrite, ReportsRead, RoundsRead, TablesRead, TicketsRead, TicketsWrite,
    WebhooksWrite,
};

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// The action.
    pub action: Action,
    /// To what its object belongs.
    pub reach: Reach,
    /// Marks of diner, waiter, kitchen, manager, admin and owner, in this order.
    pub marks: [Mark; 6],
    /// What an API key needs.
    pub scope: ApiScope,
    /// What the conditional marks depend on, and other remarks.
    pub condition: &'static str,
}

impl Rule {
    /// What a guest may.
    pub fn diner(&self) -> Mark {
        let [diner, ..] = self.marks;
        diner
    }

    /// What a role gives in the branch of the object.
    pub fn role(&self, role: Role) -> Mark {
        let [_, waiter, kitchen, manager, admin, _] = self.marks;
        match role {
            Role::Waiter => waiter,
            Role::Kitchen => kitchen,
            Role::Manager => manager,
            Role::Admin => admin,
        }
    }

    /// What being an owner gives.
    pub fn owner(&self) -> Mark {
        let [.., owner] = self.marks;
        owner
    }

    /// The roles that will do, perhaps under the condition.
    pub fn roles(&self) -> Vec<Role> {
        Role::ALL
            .iter()
            .copied()
            .filter(|role| self.role(*role) != N)
            .collect()
    }

    /// Whether one of these roles will do, perhaps under the condition.
    pub fn admits(&self, roles: Roles) -> bool {
        Role::ALL
            .iter()
            .any(|role| roles.has(*role) && self.role(*role) != N)
    }

    /// Whether anyone of the staff may do it at all.
    pub fn is_for_staff(&self) -> bool {
        let [_, staff @ ..] = self.marks;
        staff.iter().any(|mark| *mark != N)
    }
}

macro_rules! rules {
    ($($action:ident = $name:literal, $reach:ident, $marks:expr, $scope:expr, $condition:literal;)*) => {
        names! {
            /// Everything that someone may ask Comanda to do.
            Action { $($action = $name),* }
        }

        impl Action {
            /// The row of the table.
            pub const fn rule(self) -> Rule {
                match self {
                    $(Self::$action => Rule {
                        action: self,
                        reach: Reach::$reach,
                        marks: $marks,
                        scope: $scope,
                        condition: $condition,
                    }),*
                }
            }
        }

        /// The authorisation table, one row for each action.
        pub const RULES: &[Rule] = &[$(Action::$action.rule()),*];
    };
}

// Marks:                                                  D  W  K  M  A  O
rules! {
    MenuRead = "menu.read",                      Branch,  [Y, Y, Y, Y, Y, Y], Of(MenuRead), "public for a published menu";
    CatalogueRead = "catalogue.read",            Tenant,  [N, N, N, Y, Y, Y], Of(MenuRead), "";
    CatalogueWrite = "catalogue.write",          Tenant,  [N, N, N, N, N, Y], Never, "objects shared by all branches";
    BranchMenuWrite = "branch_menu.write",       Branch,  [N, N, N, Y, Y, N], Never, "prices, visibility, hidden categories";
    AvailabilitySet = "availability.set",        Branch,  [N, N, Y, Y, Y, N], Of(MenuWrite), "";
    SessionRead = "session.read",                Session, [Y, Y, N, Y, Y, N], Of(TablesRead), "keys see table cards";
    SessionOpen = "session.open",                Session, [N, Y, N, Y, Y, N], Never, "";
    SessionMove = "session.move",                Session, [N, Y, N, Y, Y, N], Never, "";
    SessionRevokePhones = "session.revoke_phones", Session, [N, Y, N, Y, Y, N], Never, "";
    SessionReopen = "session.reopen",            Session, [N, Y, N, Y, Y, N], Never, "";
    SessionClose = "session.close",              Session, [N, Y, N, Y, Y, N], Never, "";
    SessionForceClose = "session.force_close",   Session, [N, N, N, Y, Y, N], Never, "with a reason";
    SessionAssignWaiter = "session.assign_waiter", Session, [N, C, N, Y, Y, N], Never, "waiter: an unassigned session to herself, her own to a colleague";
    DinerRegister = "diner.register",            Session, [C, N, N, N, N, N], Never, "with a table token";
    DinerUpdate = "diner.update",                Session, [C, N, N, N, N, N], Never, "the diner's own entry";
    DinerAddGuest = "diner.add_guest",           Session, [N, Y, N, Y, Y, N], Never, "";
    CartRead = "cart.read",                      Session, [Y, N, N, N, N, N], Never, "";
    CartWrite = "cart.write",                    Session, [C, N, N, N, N, N], Never, "own lines, and shared ones as the cart's rules say";
    RoundPlace = "round.place",                  Session, [Y, N, N, N, N, N], Never, "";
    RoundPlaceForTable = "round.place_for_table", Session, [N, Y, N, Y, Y, N], Never, "";
    RoundRead = "round.read",                    Session, [Y, Y, C, Y, Y, N], Of(RoundsRead), "kitchen: once submitted";
    RoundConfirm = "round.confirm",              Session, [N, Y, N, Y, Y, N], Never, "";
    RoundSubmit = "round.submit",                Session, [N, C, N, Y, Y, N], Never, "waiter: `waiter_may_submit`";
    RoundStart = "round.start",                  Session, [N, N, Y, Y, Y, N], Never, "";
    RoundReady = "round.ready",                  Session, [N, N, Y, Y, Y, N], Never, "";
    RoundRecall = "round.recall",                Session, [N, N, Y, Y, Y, N], Never, "";
    RoundServe = "round.serve",                  Session, [N, Y, Y, Y, Y, N], Never, "";
    RoundCancel = "round.cancel",                Session, [C, C, N, Y, Y, N], Never, "diner: own `pending` round; waiter: `pending`";
    RoundVoidItem = "round.void_item",           Session, [N, C, N, Y, Y, N], Never, "waiter: until its ticket is delivered or the round served";
    TicketRead = "ticket.read",                  Session, [N, N, Y, Y, Y, N], Of(TicketsRead), "";
    TicketStart = "ticket.start",                Session, [N, N, Y, Y, Y, N], Of(TicketsWrite), "also single items";
    TicketReady = "ticket.ready",                Session, [N, N, Y, Y, Y, N], Of(TicketsWrite), "also single items";
    TicketRecall = "ticket.recall",              Session, [N, N, Y, Y, Y, N], Of(TicketsWrite), "also single items";
    TicketDeliver = "ticket.deliver",            Session, [N, Y, Y, Y, Y, N], Of(TicketsWrite), "";
    ServiceCallRaise = "service_call.raise",     Session, [C, N, N, N, N, N], Never, "";
    ServiceCallCancel = "service_call.cancel",   Session, [C, N, N, N, N, N], Never, "the diner who raised it";
    ServiceCallRead = "service_call.read",       Session, [Y, Y, N, Y, Y, N], Never, "";
    ServiceCallAck = "service_call.ack",         Session, [N, Y, N, Y, Y, N], Never, "";
    ServiceCallClose = "service_call.close",     Session, [N, Y, N, Y, Y, N], Never, "";
    CheckRead = "check.read",                    Session, [Y, Y, N, Y, Y, N], Of(ChecksRead), "";
    CheckPreview = "check.preview",              Session, [Y, Y, N, Y, Y, N], Of(ChecksRead), "";
    CheckRequest = "check.request",              Session, [C, Y, N, Y, Y, N], Never, "diner: `diners_may_request_check`";
    CheckSplit = "check.split",                  Session, [Y, Y, N, Y, Y, N], Never, "";
    CheckDiscount = "check.discount",            Session, [N, N, N, Y, Y, N], Never, "with a reason";
    CheckReverseDiscount = "check.reverse_discount", Session, [N, N, N, Y, Y, N], Never, "with a reason";
    PaymentRegister = "payment.register",        Session, [N, Y, N, Y, Y, N], Never, "also settling a sandbox payment";
    PaymentStartOnline = "payment.start_online", Session, [C, Y, N, Y, Y, N], Never, "diner: `diners_may_pay_online`, own payments";
    PaymentCancel = "payment.cancel",            Session, [C, Y, N, Y, Y, N], Never, "diner: `diners_may_pay_online`, own payments";
    PaymentRefund = "payment.refund",            Session, [N, N, N, Y, Y, N], Never, "with a reason";
    UnmatchedPaymentResolve = "unmatched_payment.resolve", Branch, [N, N, N, Y, Y, N], Never, "with a note";
    DeviceRead = "device.read",                  Tenant,  [C, N, N, N, N, N], Never, "the device bound to the diner";
    DeviceForget = "device.forget",              Tenant,  [C, N, N, N, N, N], Never, "the device bound to the diner";
    ReportRead = "report.read",                  Branch,  [N, N, N, Y, Y, N], Of(ReportsRead), "";
    FloorManage = "floor.manage",                Branch,  [N, N, N, Y, Y, N], Never, "sectors, tables, printed codes";
    AssignmentManage = "assignment.manage",      Branch,  [N, N, N, Y, Y, N], Never, "who serves which sector on a day";
    GrantManage = "grant.manage",                Branch,  [N, N, N, C, Y, Y], Never, "manager: waiter and kitchen only";
    UserRead = "user.read",                      Tenant,  [N, N, N, Y, Y, Y], Never, "";
    UserCreate = "user.create",                  Branch,  [N, N, N, C, C, Y], Never, "manager, admin: with a first grant that they may give";
    UserManage = "user.manage",                  Tenant,  [N, N, N, N, N, Y], Never, "disabling, passwords, the owner flag";
    BranchRead = "branch.read",                  Tenant,  [N, N, N, Y, Y, Y], Never, "";
    BranchUpdate = "branch.update",              Branch,  [N, N, N, N, Y, Y], Never, "";
    BranchCreate = "branch.create",              Tenant,  [N, N, N, N, N, Y], Never, "";
    BranchDelete = "branch.delete",              Tenant,  [N, N, N, N, N, Y], Never, "";
    ProviderManage = "provider.manage",          Branch,  [N, N, N, N, Y, N], Never, "";
    TenantManage = "tenant.manage",              Tenant,  [N, N, N, N, N, Y], Never, "";
    ApiKeyManage = "api_key.manage",             Tenant,  [N, N, N, N, N, Y], Never, "a key never creates or changes keys";
    WebhookManage = "webhook.manage",            Tenant,  [N, N, N, N, N, N], Of(WebhooksWrite), "endpoints for branches of the key";
    EventRead = "event.read",                    Branch,  [C, C, C, C, C, N], ByEvent, "each through the own view";
    SelfManage = "self.manage",                  Tenant,  [N, Y, Y, Y, Y, Y], Any, "own profile, password, logins and assignments; a key's own name and branches";
    AuditRead = "audit.read",                    Tenant,  [N, N, N, C, C, Y], Never, "manager, admin: entries of own branches";
    AuditProve = "audit.prove",                  Tenant,  [N, N, N, C, C, Y], Never, "manager, admin: entries of own branches";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(*action));
        }
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(*scope));
        }
        assert_eq!(Action::parse("round.eat"), None);
    }

    #[test]
    fn a_conditional_mark_has_a_condition() {
        // Raising a call shares its row with canceling one, whose condition is the only one there.
        for rule in RULES
            .iter()
            .filter(|rule| rule.action != Action::ServiceCallRaise)
        {
            assert!(
                !rule.marks.contains(&C) || !rule.condition.is_empty(),
                "{}",
                rule.action
            );
        }
    }

    #[test]
    fn owners_have_no_operational_right() {
        let operational = RULES.iter().filter(|rule| rule.reach == Reach::Session);
        for rule in operational {
            assert_eq!(rule.owner(), N, "{}", rule.action);
        }
    }

    #[test]
    fn every_scope_opens_something() {
        for scope in Scope::ALL {
            assert!(RULES.iter().any(|rule| rule.scope == Of(*scope)), "{scope}");
        }
    }
}
