"""Files of many rows are sent with a token, kept in pieces, and taken over in the background."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("i_upload", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_upload_type", sa.Integer(), nullable=False),
        sa.Column("i_tariff", sa.Integer(), nullable=False),
        sa.Column("effective_date", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_missing", sa.Boolean(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("status_changed_on", sa.DateTime(timezone=True), nullable=False),
        sa.Column("process_on", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_on", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holder", sa.String(length=32), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_uploads_i_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("i_upload", name=op.f("pk_uploads")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_uploads_i_customer_uploads_i_upload"), "uploads", ["i_customer", "i_upload"])
    op.create_index(op.f("ix_uploads_status_uploads_process_on"), "uploads", ["status", "process_on"])
    op.create_table(
        "upload_pieces",
        sa.Column("i_upload", sa.Integer(), nullable=False),
        sa.Column("is_report", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_upload"], ["uploads.i_upload"], name=op.f("fk_upload_pieces_i_upload"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("i_upload", "is_report", "number", name=op.f("pk_upload_pieces")),
    )


def downgrade() -> None:
    op.drop_table("upload_pieces")
    op.drop_table("uploads")
