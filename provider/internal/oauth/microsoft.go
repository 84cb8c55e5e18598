package oauth

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// loopWait is how long a loop that Microsoft detected (AADSTS50196) is left alone. The service locks
// a client out that goes on asking; it forgets after minutes.
const loopWait = 5 * time.Minute

// microsoftNumbers are the AADSTS numbers that say more than the error code they come with
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
var microsoftNumbers = map[int]decision{
	50033: transient, // RetryableError
	50087: transient, // signature of the external provider, try again
	50196: transient, // LoopDetected
	70012: transient, // MsaServerError
	90006: transient, // ExternalServerRetryableError

	7000215: config, // invalid client secret
	7000222: config, // client secret expired
	700025:  config, // a public client sent a secret
	700027:  config, // client assertion with a bad signature
	50011:   config, // redirect address not registered
	50194:   config, // application is not multi-tenant
	70001:   config, // application disabled

	90094:  admin, // administrator consent is required
	90095:  admin, // administrator consent was requested
	50105:  admin, // the person is not assigned to the application
	650052: admin, // the organisation has no subscription for the application
	650056: admin, // misconfigured application: consent is missing
	650057: admin, // the resource is not listed in the registration
	50020:  admin, // guest account unknown in the tenant
	500011: admin, // the resource is not in the tenant
	700011: admin, // the application is not in the tenant
	700016: admin, // the application is not in the tenant

	65004: reconnect, // the person declined

	70008:  reconnect, // refresh token expired
	700082: reconnect, // expired by inactivity
	700084: reconnect, // refresh token of a single page app, 24 hours
	70043:  reconnect, // sign-in frequency
	50173:  reconnect, // revoked: FreshTokenNeeded
	50132:  reconnect, // session revoked: credentials changed
	50133:  reconnect, // session expired: password changed
	50089:  reconnect, // flow token expired
	50055:  reconnect, // password expired
	50144:  reconnect, // password expired
	50057:  reconnect, // account disabled
	50034:  reconnect, // account gone
	50072:  reconnect, // second factor to enrol
	50074:  reconnect, // second factor
	50076:  reconnect, // second factor
	50078:  reconnect, // second factor expired
	50079:  reconnect, // second factor to enrol
	50158:  reconnect, // external challenge
	53000:  reconnect, // device not compliant
	53001:  reconnect, // device not joined
	53002:  reconnect, // application not approved
	53003:  reconnect, // blocked by Conditional Access
	53004:  reconnect, // proof-up blocked by risk
	53011:  reconnect, // blocked by risk
}

// microsoftCodes are error codes beyond the RFCs
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes#handling-error-codes-in-your-application).
var microsoftCodes = map[string]decision{
	"invalid_resource": admin, // the resource is not in the tenant
}

// Microsoft classifies what the Microsoft identity platform (v2) says at its token endpoint or by
// redirect. It decides on the error code, suberror and the AADSTS number, never on the text. Numbers
// come from error_codes, else from the "AADSTS" in the description.
func Microsoft(f Failure) error {
	if len(f.Numbers) == 0 {
		f.Numbers = aadsts(f.Description)
	}
	d := f.microsoft()
	if d == transient && f.RetryAfter == 0 && slices.Contains(f.Numbers, 50196) {
		f.RetryAfter = loopWait
	}
	return f.verdict(f.byStatus(d))
}

func (f Failure) microsoft() decision {
	d := unknown
	for _, n := range f.Numbers {
		d = max(d, microsoftNumbers[n])
	}
	if d == reconnect && f.Code == "invalid_client" {
		return config // the number tells of a person, the code of the client: the code decides
	}
	if d != unknown {
		return d
	}
	// Consent asked for interactively and still missing is not the person's to give. At the token
	// endpoint it may be: the person is asked again, and the page says who must consent.
	if f.Code == "consent_required" || f.Subtype == "consent_required" || slices.Contains(f.Numbers, 65001) {
		if f.Status == 0 {
			return admin
		}
		return reconnect
	}
	if d = microsoftCodes[f.Code]; d != unknown {
		return d
	}
	return standardCodes[f.Code]
}

// aadsts reads the numbers out of a description, "AADSTS50076: …".
func aadsts(text string) []int {
	var numbers []int
	for {
		_, rest, found := strings.Cut(text, "AADSTS")
		if !found || len(numbers) == 8 {
			return numbers
		}
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		if n, err := strconv.Atoi(digits); err == nil {
			numbers = append(numbers, n)
		}
		text = rest
	}
}
