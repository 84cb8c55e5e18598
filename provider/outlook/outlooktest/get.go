package outlooktest

import (
	"net/http"
	"slices"
	"strings"
)

// userFields are the properties of /me without $select.
//
// Source: https://learn.microsoft.com/graph/api/user-get
var userFields = []string{
	"businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone",
	"officeLocation", "preferredLanguage", "surname", "userPrincipalName", "id",
}

var moreUserFields = []string{"proxyAddresses", "otherMails", "accountEnabled", "userType"}

func getUser(c *call) (any, *apiError) {
	sel, refusal := parseSelect(c.query, "user", userFields, moreUserFields)
	if refusal != nil {
		return nil, refusal
	}
	o := newObject()
	set := c.s.URL() + "/v1.0/$metadata#users"
	if sel.text != "" {
		set += "(" + sel.text + ")"
	}
	o.text("@odata.context", set+"/$entity")
	for _, name := range slices.Concat(userFields, moreUserFields) {
		if !sel.wants(name) || sel.names == nil && slices.Contains(moreUserFields, name) {
			continue
		}
		switch name {
		case "businessPhones", "otherMails":
			o.list(name, nil)
		case "displayName", "givenName":
			o.text(name, c.a.name)
		case "mail", "userPrincipalName":
			o.text(name, c.a.address)
		case "preferredLanguage":
			o.text(name, "en-US")
		case "userType":
			o.text(name, "Member")
		case "accountEnabled":
			o.truth(name, true)
		case "id":
			o.text(name, c.a.oid)
		case "proxyAddresses":
			// The primary address has a prefix in capitals.
			var list []string
			for i, a := range c.a.aliases {
				list = append(list, map[bool]string{true: "SMTP:", false: "smtp:"}[i == 0]+a)
			}
			o.texts(name, list)
		default:
			o.null(name)
		}
	}
	return o, nil
}

// SetName sets the person's display name. Default: what stands before the @.
func (a *Account) SetName(name string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.name = name
}

func getFolder(c *call) (any, *apiError) {
	f, refusal := c.folder(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	sel, refusal := parseSelect(c.query, "mailFolder", folderFields)
	if refusal != nil {
		return nil, refusal
	}
	return c.folderEntity(f, sel), nil
}

func (c *call) folderEntity(f *folder, sel selection) *object {
	o := newObject()
	o.text("@odata.context", c.context("/mailFolders", sel)+"/$entity")
	f.write(o, sel)
	return o
}

type folderRequest struct {
	DisplayName string `json:"displayName"`
	IsHidden    bool   `json:"isHidden"`
}

func createFolder(c *call) (any, *apiError) {
	var req folderRequest
	if refusal := c.decode(&req); refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	parent := c.a.folders["msgfolderroot"]
	if c.ids[0] != "" {
		f, refusal := c.folder(c.ids[0])
		if refusal != nil {
			return nil, refusal
		}
		parent = f
	}
	if refusal := parent.free(req.DisplayName); refusal != nil {
		return nil, refusal
	}
	f := c.a.newFolder(req.DisplayName, parent)
	f.hidden = req.IsHidden
	return created{body: c.folderEntity(f, selection{})}, nil
}

// free says whether a folder of that name can be made.
func (f *folder) free(name string) *apiError {
	if strings.TrimSpace(name) == "" {
		return refuse(400, "ErrorInvalidRequest", "The folder has no displayName.")
	}
	for _, c := range f.children(true) {
		if strings.EqualFold(c.name, name) {
			return refuse(http.StatusConflict, "ErrorFolderExists",
				"A folder with the specified name already exists.")
		}
	}
	return nil
}

func updateFolder(c *call) (any, *apiError) {
	var req folderRequest
	if refusal := c.decode(&req); refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	f, refusal := c.folder(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	if refusal := f.parent.free(req.DisplayName); refusal != nil {
		return nil, refusal
	}
	f.name = req.DisplayName
	c.a.noteFolder(f, false)
	return c.folderEntity(f, selection{}), nil
}

func deleteFolder(c *call) (any, *apiError) {
	f, refusal := c.folder(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	if f.known != "" {
		return nil, refuse(400, "ErrorDeleteDistinguishedFolder",
			"Distinguished folders cannot be deleted.")
	}
	c.a.dropFolder(f)
	return noContent{http.StatusNoContent}, nil
}

// message finds the message that the path names.
func (c *call) message(id string) (*message, *apiError) {
	m := c.a.find(id)
	switch {
	case m != nil && m.sending && c.route.verb != http.MethodGet:
		return nil, itemNotFound()
	case m != nil:
		return m, nil
	case !wellFormed(id):
		return nil, malformedID()
	}
	return nil, itemNotFound()
}

func getMessage(c *call) (any, *apiError) {
	id := c.ids[0]
	if c.ids[1] != "" {
		id = c.ids[1]
	}
	m, refusal := c.message(id)
	if refusal != nil {
		return nil, refusal
	}
	if c.ids[1] != "" {
		f, refusal := c.folder(c.ids[0])
		if refusal != nil {
			return nil, refusal
		}
		if m.folder != f {
			return nil, itemNotFound()
		}
	}
	v, refusal := c.view()
	if refusal != nil {
		return nil, refusal
	}
	c.items = 1
	return c.messageEntity(m, v), nil
}

func (c *call) messageEntity(m *message, v view) *object {
	o := newObject()
	o.text("@odata.context", c.context("/messages", v.sel)+"/$entity")
	m.write(o, v)
	return o
}

func getValue(c *call) (any, *apiError) {
	m, refusal := c.message(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	c.items = 1
	return text{"text/plain", m.mime()}, nil
}

// notSupported is the answer to $value of a message below its folder.
func notSupported(*call) (any, *apiError) {
	return nil, refuse(http.StatusMethodNotAllowed, "ErrorInvalidRequest",
		"The OData request is not supported.")
}

func noDelta(*call) (any, *apiError) {
	return nil, badRequest("Change tracking is not supported against 'microsoft.graph.message'.")
}

func deleteMessage(c *call) (any, *apiError) {
	m, refusal := c.message(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	deleted, gone := c.a.folders["deleteditems"], c.a.folders["recoverableitemsdeletions"]
	if m.folder == deleted || m.draft {
		c.a.move(m, gone)
	} else {
		c.a.move(m, deleted)
	}
	return noContent{http.StatusNoContent}, nil
}

func purgeMessage(c *call) (any, *apiError) {
	m, refusal := c.message(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	c.a.drop(m)
	return noContent{http.StatusNoContent}, nil
}

func moveMessage(c *call) (any, *apiError) {
	var req struct {
		DestinationID string `json:"destinationId"`
	}
	if refusal := c.decode(&req); refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	m, refusal := c.message(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	f, refusal := c.folder(req.DestinationID)
	if refusal != nil {
		return nil, refusal
	}
	v, refusal := c.view()
	if refusal != nil {
		return nil, refusal
	}
	c.a.move(m, f)
	return created{body: c.messageEntity(m, v)}, nil
}
