package oauth

// googleAdminHelp tells an administrator how to let an application in: Google has no consent link.
const googleAdminHelp = "https://support.google.com/a/answer/7281227"

// googleCodes are what Google says beyond the RFCs
// (https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors).
var googleCodes = map[string]decision{
	"admin_policy_enforced": admin, // the Workspace administrator blocks the application or a scope
	"org_internal":          admin, // the client is internal to another organisation
	"deleted_client":        config,
	"disabled_client":       config,
	"redirect_uri_mismatch": config,
	"internal_failure":      transient,
	"rate_limit_exceeded":   transient,
}

// googleSubtypes are the values of error_subtype. Both mean that the Workspace session control asks
// for a new sign-in, which may recur every 1 to 24 hours
// (https://support.google.com/a/answer/9368756).
var googleSubtypes = map[string]decision{
	"invalid_rapt":  reconnect,
	"rapt_required": reconnect,
}

// Google classifies what Google's token endpoint or redirect says.
func Google(f Failure) error {
	if f.AdminURL == "" {
		f.AdminURL = googleAdminHelp
	}
	d := googleSubtypes[f.Subtype]
	if d == unknown {
		d = googleCodes[f.Code]
	}
	if d == unknown {
		d = standardCodes[f.Code]
	}
	return f.verdict(f.byStatus(d))
}
