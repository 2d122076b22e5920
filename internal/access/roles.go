package access

// The groups that carry a role (contract section 8); any other name is a custom group.
const (
	Owners         = "owners"
	Administrators = "administrators"
	Security       = "security"
)

// What each role may do. People without one may see themselves and their own sessions,
// which needs no permission.
const (
	ofSecurity       = Set(ReadApplications | WriteApplications | ReadAudit)
	ofAdministrators = AllUsers | ofSecurity | Set(ManageUsers|ManageAccount)
	ofOwners         = ofAdministrators | Set(ManageOwners)
)

// RolePermissions returns what a person may do who is in these groups: the union of what
// each gives. What sort of member they are makes no difference.
func RolePermissions(groups []string) Set {
	var s Set
	for _, g := range groups {
		switch g {
		case Owners:
			s |= ofOwners
		case Administrators:
			s |= ofAdministrators
		case Security:
			s |= ofSecurity
		}
	}
	return s
}

// Roles lists the names of the groups that carry a role, the strongest first.
func Roles() []string { return []string{Owners, Administrators, Security} }
