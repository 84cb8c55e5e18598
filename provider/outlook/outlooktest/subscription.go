package outlooktest

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// subscription is one subscription to changes. Under the server's lock.
type subscription struct {
	a         *Account
	id        string
	resource  string
	folder    *folder // nil: the whole mailbox
	types     []string
	typeText  string
	target    string
	lifecycle string
	state     string
	expires   time.Time
	immutable bool
	paused    bool // asked for reauthorization
}

type subscriptionRequest struct {
	ChangeType  string     `json:"changeType"`
	Target      string     `json:"notificationUrl"`
	Lifecycle   string     `json:"lifecycleNotificationUrl"`
	Resource    string     `json:"resource"`
	Expires     *time.Time `json:"expirationDateTime"`
	ClientState string     `json:"clientState"`
	Rich        bool       `json:"includeResourceData"`
}

// maxSubscriptions is how many subscriptions a mailbox may have.
//
// Source: https://learn.microsoft.com/graph/outlook-change-notifications-overview
const maxSubscriptions = 1000

var resourceShape = regexp.MustCompile(
	`^/?(?:me|users/[^/]+)(?:/mailFolders(?:\('([^']+)'\)|/([^/]+)))?/messages$`)

func createSubscription(c *call) (any, *apiError) {
	var req subscriptionRequest
	if refusal := c.decode(&req); refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	sub, refusal := c.subscription(&req)
	c.s.mu.Unlock()
	if refusal != nil {
		return nil, refusal
	}
	for _, u := range []string{sub.target, sub.lifecycle} {
		if u != "" && !c.s.push.validate(c.r.Context(), u) {
			return nil, refuse(400, "ValidationError", "Subscription validation request failed. "+
				"Notification endpoint must respond with 200 OK to validation request.")
		}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.a.subs = append(c.a.subs, sub)
	return created{body: sub.entity(c)}, nil
}

// subscription checks a request and makes the subscription of it.
func (c *call) subscription(req *subscriptionRequest) (*subscription, *apiError) {
	now := c.s.now()
	shape := resourceShape.FindStringSubmatch(req.Resource)
	types := strings.Split(req.ChangeType, ",")
	bad := func(text string) (*subscription, *apiError) {
		return nil, refuse(400, "InvalidRequest", text)
	}
	switch {
	case shape == nil:
		return bad("The resource is not supported.")
	case slices.ContainsFunc(types, func(t string) bool {
		return t != "created" && t != "updated" && t != "deleted"
	}):
		return bad("The changeType is missing or is not valid.")
	case !isURL(req.Target) || req.Lifecycle != "" && !isURL(req.Lifecycle):
		return bad("The notification URL is missing or is not valid.")
	case len(req.ClientState) > 128:
		return bad("The clientState exceeds the maximum length of 128.")
	case req.Rich:
		return bad("The encryptionCertificate is missing.")
	case len(c.a.active(now)) >= maxSubscriptions:
		return nil, refuse(http.StatusForbidden, "ExtensionError",
			"The limit of subscriptions of the mailbox was reached.")
	}
	expires, refusal := c.s.expiry(req.Expires)
	if refusal != nil {
		return nil, refusal
	}
	c.s.serial++
	sub := &subscription{
		a: c.a, id: guid("subscription", strconv.FormatUint(c.s.serial, 10)), resource: req.Resource,
		types: types, typeText: req.ChangeType, target: req.Target, lifecycle: req.Lifecycle,
		state: req.ClientState, expires: expires, immutable: c.prefer.immutable,
	}
	if name := shape[1] + shape[2]; name != "" {
		sub.folder, refusal = c.folder(name)
	}
	return sub, refusal
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// expiry checks the end of a subscription; it may be earlier than asked for.
func (s *Server) expiry(asked *time.Time) (time.Time, *apiError) {
	now := s.now()
	most := s.c.Push.MaxLife
	switch {
	case asked == nil || !asked.After(now):
		return time.Time{}, refuse(400, "InvalidRequest",
			"The expirationDateTime must be in the future.")
	case asked.Sub(now) > most:
		return time.Time{}, refuse(400, "InvalidRequest", "Subscription expiration can only be "+
			strconv.Itoa(int(most/time.Minute))+" minutes in the future.")
	}
	if clip := s.c.Push.Clip; clip > 0 && asked.Sub(now) > clip {
		return now.Add(clip), nil
	}
	return *asked, nil
}

// active returns the subscriptions that have not expired.
func (a *Account) active(now time.Time) []*subscription {
	a.subs = slices.DeleteFunc(a.subs, func(s *subscription) bool { return !s.expires.After(now) })
	return a.subs
}

func (sub *subscription) entity(c *call) *object {
	o := newObject()
	o.text("@odata.context", c.s.URL()+"/v1.0/$metadata#subscriptions/$entity")
	sub.write(o, c.s)
	return o
}

func (sub *subscription) write(o *object, s *Server) {
	o.text("id", sub.id)
	o.text("resource", sub.resource)
	o.text("applicationId", s.c.ClientID)
	o.text("changeType", sub.typeText)
	if sub.state == "" {
		o.null("clientState")
	} else {
		o.text("clientState", sub.state)
	}
	o.text("notificationUrl", sub.target)
	o.null("notificationQueryOptions")
	if sub.lifecycle == "" {
		o.null("lifecycleNotificationUrl")
	} else {
		o.text("lifecycleNotificationUrl", sub.lifecycle)
	}
	o.text("expirationDateTime", sub.expires.UTC().Format(time.RFC3339Nano))
	o.text("creatorId", sub.a.oid)
	o.null("includeResourceData")
	o.text("latestSupportedTlsVersion", "v1_2")
	o.null("encryptionCertificate")
	o.null("encryptionCertificateId")
	o.null("notificationUrlAppId")
}

func listSubscriptions(c *call) (any, *apiError) {
	values := [][]byte{}
	for _, sub := range c.a.active(c.s.now()) {
		o := newObject()
		sub.write(o, c.s)
		values = append(values, o.bytes())
	}
	out := newObject()
	out.text("@odata.context", c.s.URL()+"/v1.0/$metadata#subscriptions")
	out.list("value", values)
	return out, nil
}

func (c *call) findSubscription() (*subscription, *apiError) {
	for _, sub := range c.a.active(c.s.now()) {
		if sub.id == c.ids[0] {
			return sub, nil
		}
	}
	return nil, refuse(http.StatusNotFound, "ResourceNotFound", "The object was not found.")
}

func getSubscription(c *call) (any, *apiError) {
	sub, refusal := c.findSubscription()
	if refusal != nil {
		return nil, refusal
	}
	return sub.entity(c), nil
}

func updateSubscription(c *call) (any, *apiError) {
	var req subscriptionRequest
	if refusal := c.decode(&req); refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	sub, refusal := c.findSubscription()
	c.s.mu.Unlock()
	if refusal != nil {
		return nil, refusal
	}
	if req.Target != "" && (!isURL(req.Target) || !c.s.push.validate(c.r.Context(), req.Target)) {
		return nil, refuse(400, "ValidationError", "Subscription validation request failed.")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if req.Expires != nil {
		expires, refusal := c.s.expiry(req.Expires)
		if refusal != nil {
			return nil, refusal
		}
		sub.expires, sub.paused = expires, false
	}
	if req.Target != "" {
		sub.target = req.Target
	}
	return sub.entity(c), nil
}

func deleteSubscription(c *call) (any, *apiError) {
	sub, refusal := c.findSubscription()
	if refusal != nil {
		return nil, refusal
	}
	c.a.subs = slices.DeleteFunc(c.a.subs, func(x *subscription) bool { return x == sub })
	return noContent{http.StatusNoContent}, nil
}

func reauthorize(c *call) (any, *apiError) {
	sub, refusal := c.findSubscription()
	if refusal != nil {
		return nil, refusal
	}
	sub.paused = false
	return noContent{http.StatusOK}, nil
}
