package gmailtest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// The limits of a batch.
//
// Source: https://developers.google.com/workspace/gmail/api/guides/batch
const (
	maxBatch     = 100
	maxBatchBody = 40 << 20
)

// batchPart is one request of a batch.
type batchPart struct {
	id      string // its Content-ID
	request *http.Request
	answer  *httptest.ResponseRecorder
}

// serveBatch answers a batch: its parts at the same time, each as if it had come alone.
func (s *Server) serveBatch(w http.ResponseWriter, r *http.Request) {
	s.stats.Count(string(methodBatch))
	parts, refusal := readBatch(r)
	if refusal != nil {
		refusal.write(w)
		return
	}
	var all sync.WaitGroup
	for _, p := range parts {
		all.Go(func() { s.serveAPI(p.answer, p.request, true) })
	}
	all.Wait()
	s.writeBatch(w, parts)
}

func readBatch(r *http.Request) ([]*batchPart, *apiError) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" || params["boundary"] == "" {
		return nil, invalid("Failed to parse batch request, error: 0 items were parsed successfully")
	}
	mr := multipart.NewReader(http.MaxBytesReader(nil, r.Body, maxBatchBody), params["boundary"])
	var parts []*batchPart
	for {
		p, err := mr.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			var part *batchPart
			if part, err = readBatchPart(p, r); err == nil {
				parts = append(parts, part)
			}
		}
		if err != nil {
			return nil, invalid("Failed to parse batch request, error: " +
				fmt.Sprint(len(parts)) + " items were parsed successfully")
		}
		if len(parts) > maxBatch {
			return nil, &apiError{
				Status: http.StatusBadRequest, Reason: "badRequest",
				Message: "Inner request count exceeds the limit.", RPCStatus: "INVALID_ARGUMENT",
			}
		}
	}
	if len(parts) == 0 {
		return nil, invalid("Failed to parse batch request, error: 0 items were parsed successfully")
	}
	return parts, nil
}

func readBatchPart(p *multipart.Part, outer *http.Request) (*batchPart, error) {
	if t := mediaType(http.Header(p.Header)); t != "application/http" {
		return nil, fmt.Errorf("media type %q", t)
	}
	content, err := io.ReadAll(p)
	if err != nil {
		return nil, err
	}
	// Parts come without a protocol and end with their header or body.
	content = bytes.TrimLeft(content, "\r\n")
	line, rest, _ := bytes.Cut(content, []byte("\n"))
	words := strings.Fields(string(line))
	switch {
	case len(words) == 2:
		words = append(words, "HTTP/1.1")
	case len(words) != 3:
		return nil, fmt.Errorf("request line of a part")
	}
	if !strings.HasPrefix(words[1], "/") {
		return nil, fmt.Errorf("parts take paths without a host")
	}
	rest = append(bytes.TrimRight(rest, " \t\r\n"), "\r\n\r\n"...)
	head, body := splitHeader(append([]byte(strings.Join(words, " ")+"\r\nHost: batch\r\n"), rest...))
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err != nil {
		return nil, err
	}
	request = request.WithContext(outer.Context())
	body = bytes.TrimSpace(body)
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if request.Header.Get("Authorization") == "" {
		request.Header["Authorization"] = outer.Header["Authorization"]
	}
	return &batchPart{
		id: p.Header.Get("Content-ID"), request: request, answer: httptest.NewRecorder(),
	}, nil
}

func (s *Server) writeBatch(w http.ResponseWriter, parts []*batchPart) {
	var out bytes.Buffer
	mw := multipart.NewWriter(&out)
	for _, p := range parts {
		h := headerOf("Content-Type", "application/http")
		if id := strings.TrimPrefix(p.id, "<"); id != "" {
			h.Set("Content-ID", "<response-"+strings.TrimSuffix(id, ">")+">")
		}
		pw, err := mw.CreatePart(h)
		if err == nil {
			resp := p.answer.Result()
			err = writePart(pw, resp)
		}
		if err != nil {
			panic(err) // a bytes.Buffer takes everything
		}
	}
	if err := mw.Close(); err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "multipart/mixed; boundary="+mw.Boundary())
	_, _ = w.Write(out.Bytes()) // the client may be gone
}

func writePart(w io.Writer, resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "HTTP/1.1 %d %s\r\n", resp.StatusCode,
		http.StatusText(resp.StatusCode)); err != nil {
		return err
	}
	resp.Header.Set("Content-Length", fmt.Sprint(len(body)))
	if err := resp.Header.Write(w); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\r\n%s", body)
	return err
}
