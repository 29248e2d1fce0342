"""Convolutional networks of pictures that arplay has trained."""

from arplay.models.family import Family

PIXELCNN = Family(
    name="PixelCNN",
    what="A convolutional network of pictures that arplay has trained; it draws them pixel by pixel.",
    model_type="arplay-pixelcnn",
    open="arplay.models.families.pixelcnn.loading:load",
    card="arplay.models.store.cards:of_pictures",
    build="arplay.models.families.pixelcnn.loading:build",
    tokens="arplay.models.families.pixelcnn.loading:tokens",
    icon="image",
)
