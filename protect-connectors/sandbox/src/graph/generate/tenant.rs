//! The tenant itself: organisation, licences, domains, settings, groups, devices.

use serde_json::{Value, json};

use super::Maker;
use crate::{DOMAIN, graph::users::TENANT_DOMAIN, scenario::Part};

/// Microsoft 365 E5.
pub(in crate::graph) const E5_SKU: &str = "06ebc4ee-1bb5-47dd-8120-11324bc54e06";
const PLANS: [&str; 6] = [
    "AAD_PREMIUM",
    "AAD_PREMIUM_P2",
    "EXCHANGE_S_ENTERPRISE",
    "INTUNE_A",
    "MFA_PREMIUM",
    "SHAREPOINTENTERPRISE",
];
const GROUPS: usize = 24;
const DEVICES: usize = 30;

impl Maker<'_> {
    pub(super) fn tenant(&mut self) {
        let organisation = json!({
            "id": self.tenant,
            "displayName": "Acme",
            "countryLetterCode": "DE",
            "createdDateTime": self.days_ago(2600),
            "onPremisesSyncEnabled": true,
            "onPremisesLastSyncDateTime": self.ago(20),
            "tenantType": "AAD",
            "verifiedDomains": [
                {"capabilities": "Email", "isDefault": true, "isInitial": false, "name": DOMAIN, "type": "Managed"},
                {"capabilities": "Email", "isDefault": false, "isInitial": true, "name": TENANT_DOMAIN, "type": "Managed"},
            ],
        });
        self.add_all("organization", [organisation]);
        let plans: Vec<Value> = PLANS.iter().map(|name| service_plan(name)).collect();
        self.add_all("subscribedSkus", [sku(self.users.len(), &plans)]);
        self.add_all(
            "domains",
            [
                domain(DOMAIN, (true, false), Some(2_147_483_647)),
                domain(TENANT_DOMAIN, (false, true), None),
                domain("shop.acme.example", (false, false), Some(90)),
            ],
        );
        self.group_settings();
        let features = json!({
            "passwordSyncEnabled": true,
            "seamlessSsoEnabled": false,
            "blockSoftMatchEnabled": true,
            "blockCloudObjectTakeoverThroughHardMatchEnabled": false,
        });
        let sync = json!({"id": self.tenant, "features": features});
        self.add_all("onPremisesSynchronization", [sync]);
        self.groups();
        self.devices();
    }

    fn group_settings(&mut self) {
        let value = |name: &str, value: &str| json!({"name": name, "value": value});
        let settings = [
            json!({
                "id": self.rng.uuid(),
                "displayName": "Password Rule Settings",
                "templateId": "5cf42378-d67d-4f36-ba46-e8b86229381d",
                "values": [
                    value("BannedPasswordCheckOnPremisesMode", "Audit"),
                    value("EnableBannedPasswordCheckOnPremises", "True"),
                    value("EnableBannedPasswordCheck", "True"),
                    value("LockoutDurationInSeconds", "60"),
                    value("LockoutThreshold", "10"),
                    value("BannedPasswordList", "acme\thamburg"),
                ],
            }),
            json!({
                "id": self.rng.uuid(),
                "displayName": "Group.Unified",
                "templateId": "62375ab9-6b52-47ed-826b-58e47e0e304b",
                "values": [
                    value("EnableGroupCreation", "true"),
                    value("AllowGuestsToBeGroupOwner", "false"),
                    value("AllowGuestsToAccessGroups", "true"),
                ],
            }),
        ];
        self.add_all("groupSettings", settings);
    }

    fn groups(&mut self) {
        let mut groups = Vec::new();
        let mut members = Vec::new();
        let bystanders: Vec<usize> = self.users.bystanders().take(400).collect();
        for number in 0..GROUPS {
            let id = self.rng.uuid();
            let name = match number {
                0 => "All staff".to_owned(),
                1 => "Help desk operators".to_owned(),
                2 => "Excluded from Conditional Access".to_owned(),
                _ => format!("Project {number}"),
            };
            if number == 2 {
                members.extend((0..crate::graph::users::EMERGENCY).map(|it| (id.clone(), it)));
            } else if number > 0 && !bystanders.is_empty() {
                let some = if number == 1 {
                    2
                } else {
                    1 + self.rng.below(12)
                };
                for turn in 0..some {
                    let member = bystanders[(number * 7 + turn) % bystanders.len()];
                    members.push((id.clone(), member));
                }
            }
            groups.push(group(number, &id, &name, &self.days_ago(900)));
        }
        members.sort();
        members.dedup();
        let members: Vec<Value> = members
            .into_iter()
            .map(|(group, member)| json!({"_group": group, "id": self.users.id(member)}))
            .collect();
        self.add_all("groups", groups);
        self.add_all("groupMembers", members);
    }

    fn devices(&mut self) {
        let owners: Vec<usize> = self
            .users
            .player(Part::Suspicious)
            .into_iter()
            .chain(self.users.bystanders())
            .take(DEVICES)
            .collect();
        let mut devices = Vec::new();
        let mut owned = Vec::new();
        for (number, owner) in owners.into_iter().enumerate() {
            let id = self.rng.uuid();
            let account = self.users.account(owner);
            let upn = account.map_or_else(String::new, |account| account.upn);
            owned.push(json!({
                "_device": id,
                "@odata.type": "#microsoft.graph.user",
                "id": self.users.id(owner),
                "userPrincipalName": upn,
            }));
            devices.push(json!({
                "id": id,
                "deviceId": self.rng.uuid(),
                "displayName": format!("LAPTOP-{number:04}"),
                "accountEnabled": true,
                "operatingSystem": if number % 3 == 0 { "MacMDM" } else { "Windows" },
                "operatingSystemVersion": "15.1",
                "isCompliant": number % 5 != 0,
                "isManaged": true,
                "trustType": "AzureAd",
                "approximateLastSignInDateTime": self.ago(600),
                "registrationDateTime": self.days_ago(300),
            }));
        }
        self.add_all("devices", devices);
        self.add_all("deviceOwners", owned);
    }
}

/// A service plan that is switched on.
pub(in crate::graph) fn service_plan(name: &str) -> Value {
    let id = match name {
        "AAD_PREMIUM" => "41781fb2-bc02-4b7c-bd55-b576c07bb09d".to_owned(),
        "AAD_PREMIUM_P2" => "eec0eb4f-6444-4f95-aba0-50c24d67f998".to_owned(),
        _ => crate::rng::Rng::new(0, name).uuid(),
    };
    json!({
        "servicePlanId": id,
        "servicePlanName": name,
        "provisioningStatus": "Success",
        "appliesTo": "User",
    })
}

/// The subscription of everybody with these service plans.
pub(in crate::graph) fn sku(users: usize, plans: &[Value]) -> Value {
    json!({
        "id": format!("{E5_SKU}_{E5_SKU}"),
        "skuId": E5_SKU,
        "skuPartNumber": "SPE_E5",
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": users,
        "prepaidUnits": {"enabled": users + 10, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": plans,
    })
}

fn domain(name: &str, (default, initial): (bool, bool), validity: Option<i64>) -> Value {
    json!({
        "id": name,
        "authenticationType": "Managed",
        "isAdminManaged": true,
        "isDefault": default,
        "isInitial": initial,
        "isRoot": name != "shop.acme.example",
        "isVerified": true,
        "passwordNotificationWindowInDays": validity.map(|_| 14),
        "passwordValidityPeriodInDays": validity,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
    })
}

fn group(number: usize, id: &str, name: &str, created: &str) -> Value {
    let unified = number > 2;
    let kinds: &[&str] = if unified { &["Unified"] } else { &[] };
    json!({
        "_everybody": number == 0,
        "id": id,
        "displayName": name,
        "description": null,
        "createdDateTime": created,
        "groupTypes": kinds,
        "mailEnabled": unified,
        "mailNickname": format!("group{number}"),
        "securityEnabled": !unified,
        "visibility": if number % 6 == 5 { "Public" } else { "Private" },
        "membershipRule": null,
        "isAssignableToRole": number == 1,
        "isManagementRestricted": false,
        "onPremisesSyncEnabled": null,
    })
}
