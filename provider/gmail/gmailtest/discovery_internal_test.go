package gmailtest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// schema is a JSON schema as discovery documents write it.
type schema struct {
	Type       string            `json:"type"`
	Format     string            `json:"format"`
	Ref        string            `json:"$ref"`
	Items      *schema           `json:"items"`
	Properties map[string]schema `json:"properties"`
}

type discovered struct {
	ID         string   `json:"id"`
	HTTPMethod string   `json:"httpMethod"`
	Path       string   `json:"path"`
	FlatPath   string   `json:"flatPath"`
	Scopes     []string `json:"scopes"`
	Response   struct {
		Ref string `json:"$ref"`
	} `json:"response"`
	SupportsMediaUpload bool `json:"supportsMediaUpload"`
}

type resource struct {
	Methods   map[string]discovered `json:"methods"`
	Resources map[string]resource   `json:"resources"`
}

// discovery is the document that the client library is generated from; it lies beside it.
func discovery(t *testing.T) (methods map[string]discovered, schemas map[string]schema) {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}",
		"google.golang.org/api").Output()
	require.NoError(t, err)
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "gmail", "v1", "gmail-api.json"))
	require.NoError(t, err)
	var doc struct {
		resource
		Schemas map[string]schema `json:"schemas"`
	}
	require.NoError(t, json.Unmarshal(b, &doc))
	methods = make(map[string]discovered)
	var walk func(resource)
	walk = func(r resource) {
		for _, m := range r.Methods {
			methods[strings.TrimPrefix(m.ID, "gmail.users.")] = m
		}
		for _, below := range r.Resources {
			walk(below)
		}
	}
	walk(doc.resource)
	return methods, doc.Schemas
}

func TestRoutesAreThoseOfTheDiscoveryDocument(t *testing.T) {
	t.Parallel()
	methods, _ := discovery(t)
	variable := regexp.MustCompile(`\{[^}]+\}`)
	for _, r := range routes {
		m, ok := methods[string(r.method)]
		require.True(t, ok, "%s is no method of Gmail", r.method)
		require.Equal(t, m.HTTPMethod, r.verb, "%s", r.method)
		path := m.FlatPath
		if path == "" {
			path = m.Path
		}
		path = strings.TrimPrefix(path, "gmail/v1/users/{userId}/")
		require.Equal(t, variable.ReplaceAllString(path, "*"), r.path, "%s", r.method)
		require.Equal(t, m.SupportsMediaUpload, r.upload, "%s", r.method)
		want := slices.DeleteFunc(m.Scopes, func(s string) bool { return strings.Contains(s, ".addons.") })
		require.ElementsMatch(t, want, r.scopes, "%s", r.method)
	}
}

func TestAnswersHaveFieldsAndTypesOfTheDiscoveryDocument(t *testing.T) {
	t.Parallel()
	_, schemas := discovery(t)
	for name, answer := range map[string]any{
		"Profile": profileJSON{}, "Label": labelJSON{}, "ListLabelsResponse": labelsJSON{},
		"Message": messageJSON{}, "ListMessagesResponse": messagesJSON{},
		"MessagePart": partJSON{}, "MessagePartBody": bodyJSON{}, "MessagePartHeader": headerJSON{},
		"Thread": threadJSON{}, "ListThreadsResponse": threadsJSON{},
		"ListHistoryResponse": historyJSON{}, "History": recordJSON{},
		"HistoryMessageAdded": changeJSON{}, "HistoryLabelAdded": changeJSON{},
		"Draft": draftJSON{}, "ListDraftsResponse": draftsJSON{},
		"SendAs": sendAsJSON{}, "ListSendAsResponse": sendAsListJSON{},
		"WatchResponse": watchJSON{},
	} {
		require.Contains(t, schemas, name)
		skip := ""
		if name == "HistoryMessageAdded" {
			skip = "labelIds" // one Go type serves all four changes
		}
		requireSchema(t, schemas, schema{Ref: name}, reflect.TypeOf(answer), name, skip)
	}
	requireSchema(t, schemas, schema{Ref: "MessagePartBody"}, reflect.TypeFor[attachmentJSON](), "attachment", "")
}

// requireSchema compares a type of ours with a schema; numbers of 64 bits are strings there.
func requireSchema(t *testing.T, schemas map[string]schema, s schema, typ reflect.Type, path, skip string) {
	t.Helper()
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if s.Ref != "" {
		s = schemas[s.Ref]
	}
	switch s.Type {
	case "object":
		require.Equal(t, reflect.Struct, typ.Kind(), path)
		for f := range typ.Fields() {
			name, _ := jsonName(f)
			if name == skip || name == "parts" && strings.Count(path, "parts") > 1 {
				continue
			}
			below, ok := s.Properties[name]
			if !ok && strings.Contains(path, "messages") && name == "labelIds" {
				continue
			}
			require.True(t, ok, "%s has no field %q", path, name)
			requireSchema(t, schemas, below, f.Type, path+"."+name, skip)
		}
	case "array":
		require.Equal(t, reflect.Slice, typ.Kind(), path)
		requireSchema(t, schemas, *s.Items, typ.Elem(), path+"[]", skip)
	case "string":
		require.Equal(t, reflect.String, typ.Kind(), path)
	case "integer":
		require.Equal(t, reflect.Int, typ.Kind(), path)
		require.Contains(t, []string{"int32", "uint32"}, s.Format, path)
	case "boolean":
		require.Equal(t, reflect.Bool, typ.Kind(), path)
	default:
		t.Fatalf("%s: schema type %q", path, s.Type)
	}
}
