// The page of a preset of one's own: its seats, and the list of models below their fields.

import "console/picker/picker";
import "console/compose/seats";
