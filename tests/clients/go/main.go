// Go's own mail sender and the WebSocket of golang.org/x/net, as programs use them.
package main

import (
	"encoding/json"
	"fmt"
	"net/smtp"
	"os"
	"strings"

	"golang.org/x/net/websocket"
)

// frame is what the pushed messages of the WebSocket have, among more.
type frame struct {
	Status  int
	Msg     string
	Subject string
}

// send sends a mail in one call, as tutorials do: TLS is begun where it is offered.
func send(address string, auth smtp.Auth, to, subject string) error {
	from := os.Getenv("FROM")
	if from == "" {
		from = "ann@a.example"
	}
	content := "To: " + to + "\r\nSubject: " + subject + "\r\n\r\nhi\r\n.\r\n"
	return smtp.SendMail(address, auth, from, []string{to}, []byte(content))
}

// listen says "listening", and then the subject of the first message that is pushed.
func listen(url, origin string) error {
	socket, err := websocket.Dial(url, "", origin)
	if err != nil {
		return err
	}
	defer socket.Close()
	for {
		var text string
		if err := websocket.Message.Receive(socket, &text); err != nil {
			return err
		}
		var told frame
		if err := json.Unmarshal([]byte(text), &told); err != nil {
			return err
		}
		if told.Status != 200 {
			return fmt.Errorf("%s", text)
		}
		if told.Msg == "Listening" {
			fmt.Println("listening")
		}
		if told.Subject != "" {
			fmt.Println(told.Subject)
			return nil
		}
	}
}

func run(args []string) error {
	switch args[0] {
	case "send":
		return send(args[1], nil, args[2], args[3])
	case "send-logged-in":
		host := strings.Split(args[1], ":")[0]
		auth := smtp.PlainAuth("", "admin", os.Getenv("KEY"), host)
		return send(args[1], auth, args[2], args[3])
	case "listen":
		return listen(args[1], args[2])
	}
	return fmt.Errorf("send, send-logged-in or listen, not %s", args[0])
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
