// All the mail of an account: keys in its list, and new mail while somebody looks.
import "./renewing.js";
import { listenToRows } from "./rows.js";

listenToRows();
