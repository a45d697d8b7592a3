// Package prices knows what things cost.
package prices

import (
	"fmt"

	"github.com/pkg/errors"
)

// UnknownError is of a thing that has no price.
type UnknownError struct{ Item string }

func (e *UnknownError) Error() string { return e.Item + " has no price" }

// Book has all prices.
type Book struct {
	prices []int
	notes  map[string]int
}

// NewBook opens the book.
func NewBook() *Book {
	return &Book{prices: []int{120, 80}}
}

// Nth is the price in this line of the book.
func (b *Book) Nth(n int) int {
	return b.prices[n]
}

// Note says that somebody has asked.
func (b *Book) Note(item string) {
	b.notes[item]++
}

// MustPrice is for things that have a price.
func (b *Book) MustPrice(item string) int {
	places := map[string]int{"pears": 0, "apples": 1}
	place, listed := places[item]
	if !listed {
		for other, at := range places {
			// In the plural or not.
			if other == item+"s" {
				place, listed = at, true
			}
		}
	}
	if !listed {
		panic(&UnknownError{item})
	}
	return b.prices[place]
}

// Share says what each has to pay.
func Share(total, people int) int {
	return total / people
}

// Close ends a day, unless the till is empty.
func Close(day string) error {
	if day == "monday" {
		return errors.New("the till is empty")
	}
	return nil
}

// Reopen begins a day again.
func Reopen(day string) error {
	return fmt.Errorf("the till: %w", &UnknownError{day})
}
