// A till: a web service, and what it does beside that, with sentry-go.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"example.com/till/internal/prices"
	"github.com/getsentry/sentry-go"
	sentryhttp "github.com/getsentry/sentry-go/http"
)

func main() {
	err := sentry.Init(sentry.ClientOptions{
		Dsn:         os.Getenv("DSN"),
		Release:     os.Getenv("GIT_COMMIT"),
		Environment: "staging",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer sentry.Flush(10 * time.Second)

	switch os.Args[1] {
	case "serve":
		serve()
	case "goroutine":
		inGoroutine()
	case "die":
		defer sentry.Flush(10 * time.Second)
		die()
	case "wrapped":
		sentry.CaptureException(close("monday"))
	case "plain":
		sentry.CaptureException(reopen("monday"))
	}
}

// Answers until it is ended.
func serve() {
	book := prices.NewBook()
	mux := http.NewServeMux()
	mux.HandleFunc("/nth", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		fmt.Fprintln(w, book.Nth(n))
	})
	mux.HandleFunc("/note", func(w http.ResponseWriter, r *http.Request) {
		book.Note(r.URL.Query().Get("item"))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on http://%s", listener.Addr())
	log.Fatal(http.Serve(listener, sentryhttp.New(sentryhttp.Options{Repanic: true}).Handle(mux)))
}

// Adds up beside what else is to do.
func inGoroutine() {
	var adding sync.WaitGroup
	adding.Add(1)
	go func() {
		defer adding.Done()
		defer sentry.Recover()
		prices.NewBook().MustPrice("plums")
	}()
	adding.Wait()
}

// Reports, and ends as a panic does.
func die() {
	defer func() {
		if failed := recover(); failed != nil {
			sentry.CurrentHub().Recover(failed)
			sentry.Flush(10 * time.Second)
			panic(failed)
		}
	}()
	prices.Share(240, 0)
}

// Where an error is only handed on.
func close(day string) error {
	if err := prices.Close(day); err != nil {
		return fmt.Errorf("closing %s: %w", day, err)
	}
	return nil
}

// The same for an error that knows no stack.
func reopen(day string) error {
	if err := prices.Reopen(day); err != nil {
		return fmt.Errorf("reopening %s: %w", day, err)
	}
	return nil
}
