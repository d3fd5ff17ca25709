"""Every word that a `.nn` file may use. Importing this package registers all definitions."""

from nndsl.vocab import activations as activations
from nndsl.vocab import answers as answers
from nndsl.vocab import augmentation as augmentation
from nndsl.vocab import bumps as bumps
from nndsl.vocab import ensembles as ensembles
from nndsl.vocab import initializers as initializers
from nndsl.vocab import layers as layers
from nndsl.vocab import levels as levels
from nndsl.vocab import losses as losses
from nndsl.vocab import metrics as metrics
from nndsl.vocab import optimizers as optimizers
from nndsl.vocab import pictures as pictures
from nndsl.vocab import pictures_of_answers as pictures_of_answers
from nndsl.vocab import pictures_of_layers as pictures_of_layers
from nndsl.vocab import pictures_of_planes as pictures_of_planes
from nndsl.vocab import preprocessing as preprocessing
from nndsl.vocab import replay as replay
from nndsl.vocab import roads as roads
from nndsl.vocab import schedules as schedules
from nndsl.vocab import shapes as shapes
from nndsl.vocab import views as views
from nndsl.vocab.arguments import bind_arguments as bind_arguments
from nndsl.vocab.registry import lookup as lookup
from nndsl.vocab.registry import nearest_words as nearest_words
from nndsl.vocab.registry import registries as registries
from nndsl.vocab.registry import words as words
