"""Convolutional networks of pictures that arplay has trained."""

from arplay.models.family import Family, Training

PIXELCNN = Family(
    name="PixelCNN",
    what="A convolutional network of pictures that arplay has trained; it draws them pixel by pixel.",
    model_type="arplay-pixelcnn",
    open="arplay.models.families.pixelcnn.loading:load",
    card="arplay.models.store.cards:of_pictures",
    build="arplay.models.families.pixelcnn.loading:build",
    tokens="arplay.models.families.pixelcnn.loading:tokens",
    icon="image",
    training=Training(
        key="pixelcnn",
        label="PixelCNN",
        about="A convolutional network of pictures of one size, whose connections reach earlier pixels only.",
        kind="a PixelCNN",
        by="arplay.models.families.pixelcnn.network:pixelcnn",
        shape="arplay.training.sizes:CONVOLUTIONAL",
        data="arplay.training.pictures:gather",
        unit="dimension",
        batch=16,
        params=100_000,
        learns="arplay.training.pictures:PICTURES",
        sizes=(
            (30_000, "30 thousand parameters: learns outlines of small pictures. The quickest."),
            (100_000, "100 thousand parameters: learns shapes, given thousands of pictures."),
            (300_000, "300 thousand parameters: learns patterns within shapes, given half an hour or more."),
        ),
        contexts=(),
        vocabularies=(2, 4, 8, 16, 32),
        rates={"muon_rate": 0.02, "adamw_rate": 0.006, "cooldown": 0.8, "compile": False},
    ),
)
