// A before handler in Go, standard library only: refuses test clients, cuts a high credit. Try it with: go run decide.go
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const creditMax = 1000

// The part of the payload that this handler looks at.
type payload struct {
	Event struct {
		EventsID string `json:"events_id"`
	} `json:"event"`
	Data struct {
		Name   string   `json:"name"`
		Credit *float64 `json:"credit"` // nil = unlimited
	} `json:"data"`
}

// Standard Webhooks: HMAC-SHA256 of "id.timestamp.body"; there may be two signatures while a secret is rotated.
func isSigned(header http.Header, body, secret []byte) bool {
	sent, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(sent, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%d.%s", header.Get("webhook-id"), sent, body)
	expected := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, given := range strings.Split(header.Get("webhook-signature"), " ") {
		if hmac.Equal([]byte(given), []byte(expected)) {
			return true
		}
	}
	return false
}

// An empty object allows.
func decide(asked payload) map[string]any {
	switch {
	case asked.Event.EventsID != "clients.create":
		return map[string]any{}
	case strings.HasPrefix(asked.Data.Name, "Test"):
		return map[string]any{
			"verdict": "forbid", "message": "test clients are not made here", "code": "TEST", "field": "name",
		}
	case asked.Data.Credit == nil || *asked.Data.Credit > creditMax:
		return map[string]any{
			"data":     map[string]any{"credit": creditMax},
			"warnings": []string{fmt.Sprintf("credit was cut to %d", creditMax)},
		}
	}
	return map[string]any{}
}

func main() {
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("HOOKSWITCH_SECRET"), "whsec_"))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !isSigned(r.Header, body, secret) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var asked payload
		if err := json.Unmarshal(body, &asked); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(decide(asked))
	})
	port := os.Getenv("PORT")
	if port == "" {
		port = "5000"
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, nil))
}
