package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/brevdue/brevdue/gateway"
)

// The errors of a hold.
var (
	ErrReason = fmt.Errorf("a hold needs a reason of at most %d characters", gateway.MaxReason)
	ErrObject = errors.New("a hold needs what it is of")
)

// Hold keeps something from being erased until it is released, and returns the id of the hold. Kind, and Object or Recipient,
// must be set; Producer may be. What was erased before stays erased.
func (r *Runner) Hold(ctx context.Context, by Actor, h gateway.LegalHold) (string, error) {
	if err := checkReason(by.Reason); err != nil {
		return "", err
	}
	switch {
	case !slices.Contains(gateway.HoldKinds(), h.Kind):
		return "", fmt.Errorf("%w: unknown kind", ErrObject)
	case h.Kind == gateway.HoldRecipient && h.Recipient.IsZero(), h.Kind != gateway.HoldRecipient && h.Object == "":
		return "", ErrObject
	}
	h.ID, h.By, h.Reason, h.At = r.cfg.NewID("hold"), by.Who, by.Reason, r.now()
	object := h.ID + " " + string(h.Kind)
	if h.Kind == gateway.HoldIntent || h.Kind == gateway.HoldPost {
		object += " " + h.Object
	}
	err := r.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		if err := tx.InsertHold(&h); err != nil {
			return err
		}
		return r.cfg.Trail.In(tx, &gateway.AuditEntry{
			Who: by.Who, How: by.How, Action: "hold.set", Object: object, Reason: by.Reason,
		})
	})
	if err != nil {
		return "", fmt.Errorf("retention: hold: %w", err)
	}
	return h.ID, nil
}

// Release ends a hold. gateway.ErrNotFound when there is none of that id that holds.
func (r *Runner) Release(ctx context.Context, by Actor, id string) error {
	if err := checkReason(by.Reason); err != nil {
		return err
	}
	err := r.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		if err := tx.ReleaseHold(id, by.Who, r.now()); err != nil {
			return err
		}
		return r.cfg.Trail.In(tx, &gateway.AuditEntry{
			Who: by.Who, How: by.How, Action: "hold.release", Object: id, Reason: by.Reason,
		})
	})
	if err != nil {
		return fmt.Errorf("retention: release %s: %w", id, err)
	}
	return nil
}

func checkReason(reason string) error {
	if strings.TrimSpace(reason) == "" || len([]rune(reason)) > gateway.MaxReason {
		return ErrReason
	}
	return nil
}
