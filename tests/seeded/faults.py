"""The faults of sealing, each with the tests that have to notice it.

``QUICK`` needs no server; ``DATABASE`` needs PostgreSQL, ``SEARCH`` OpenSearch.
"""

from tests.seeded.fault import Fault

_CHASSIS, _KEYS, _MEMORY = (
    "services/chassis/chassis/sealing",
    "services/backend/backend/keys",
    "services/ai_core/ai_core/memory",
)
_CELLS, _SERVICE = "tests/chassis/sealing/test_cells.py", "tests/chassis/sealing/test_key_service.py"
_MOVED = f"{_CELLS}::test_a_cell_that_was_moved_does_not_open"
_OUTER = "tests/backend/keys/test_outer.py::test_another_person_purpose_epoch_or_key_unwraps_nothing"
_OTHERS = f"{_SERVICE}::test_another_purpose_or_person_unwraps_nothing"
_MAC = "tests/backend/auth/test_credentials.py::test_the_mac_is_over_every_part"
_ROLL, _PERSON_KEYS = "tests/backend/keys/test_roll.py", "tests/backend/keys/test_person_keys.py"
_SEALED, _ALONE = "tests/ai_core/memory/test_sealed_memories.py", "tests/ai_core/memory/test_others.py"

_PLACE = "joined(FORMAT, user) + _field_name(field) + struct.pack"
_OPEN = "return cipher.decrypt(cell[1 : 1 + _NONCE_BYTES], cell[1 + _NONCE_BYTES :], place + row_id.bytes)"
_UNCHECKED = (
    "from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes\n"
    "            counter = modes.CTR(cell[1 : 1 + _NONCE_BYTES] + bytes([0, 0, 0, 2]))\n"
    "            secret = algorithms.AES(self.subkey(field.table))\n"
    "            return Cipher(secret, counter).decryptor().update(cell[1 + _NONCE_BYTES : -16])"
)

QUICK = (
    Fault(
        "one data key for all people",
        f"{_CHASSIS}/key_service.py",
        (("encrypt(nonce, os.urandom(KEY_BYTES), _bytes(context))", "encrypt(nonce, bytes(32), _bytes(context))"),),
        (f"{_SERVICE}::test_no_two_data_keys_are_the_same",),
    ),
    Fault(
        "a key file that does not look at whose key it is",
        f"{_CHASSIS}/key_service.py",
        (('"purpose": purpose, "user_id": str(user_id)}', '"purpose": purpose}'),),
        (_OTHERS,),
    ),
    Fault(
        "a key file that does not look at what a key is for",
        f"{_CHASSIS}/key_service.py",
        (('"purpose": purpose, "user_id": str(user_id)}', '"user_id": str(user_id)}'),),
        (_OTHERS,),
    ),
    Fault("AAD without the user", f"{_CHASSIS}/cells.py", ((_PLACE, _PLACE.replace(", user", "")),), (_MOVED,)),
    Fault(
        "AAD without the row",
        f"{_CHASSIS}/cells.py",
        (
            ("cipher.encrypt(nonce, plain, place + row_id.bytes)", "cipher.encrypt(nonce, plain, place)"),
            (_OPEN, _OPEN.replace(" + row_id.bytes", "")),
        ),
        (_MOVED,),
    ),
    Fault(
        "AAD without the column",
        f"{_CHASSIS}/cells.py",
        (("joined(field.table, field.column)", "joined(field.table)"),),
        (_MOVED,),
    ),
    Fault(
        "neither AAD nor subkey of the table",
        f"{_CHASSIS}/cells.py",
        (
            ("joined(field.table, field.column)", "joined(field.column)"),
            ("self.subkey(field.table)", 'self.subkey("")'),
        ),
        (_MOVED,),
    ),
    Fault("a cell is opened without a look at its tag", f"{_CHASSIS}/cells.py", ((_OPEN, _UNCHECKED),), (_CELLS,)),
    Fault(
        "the same nonce each time",
        f"{_CHASSIS}/cells.py",
        (("nonce = os.urandom(_NONCE_BYTES)", "nonce = bytes(_NONCE_BYTES)"),),
        (f"{_CELLS}::test_the_same_words_look_different_each_time",),
    ),
    Fault(
        "keys are known without an end",
        f"{_CHASSIS}/recent.py",
        (("TTLCache(most, seconds, clock)", 'TTLCache(most, float("inf"), clock)'),),
        ("tests/chassis/sealing/test_recent.py",),
    ),
    Fault(
        "the outer wrap without the epoch",
        f"{_KEYS}/outer.py",
        (("joined(purpose, str(epoch))", "joined(purpose)"),),
        (_OUTER,),
    ),
    Fault(
        "the outer wrap without the person",
        f"{_KEYS}/outer.py",
        (("_BEGIN + user_id.bytes + _end", "_BEGIN + _end"),),
        (_OUTER,),
    ),
    Fault(
        "the MAC without how often the password was set",
        "services/backend/backend/auth/credentials.py",
        ((", credentials.rev.to_bytes(8)", ""),),
        (_MAC,),
    ),
    Fault(
        "any MAC will do",
        "services/backend/backend/auth/credentials.py",
        ((" and hmac.compare_digest(stored.mac, mac_of(key, stored.credentials))", ""),),
        (_MAC,),
    ),
    Fault(
        "the AI core takes any key of a person whose key it knows",
        f"{_MEMORY}/keys.py",
        (("if known and known[0] == wrapped:", "if known:"),),
        ("tests/ai_core/memory/test_keys.py",),
    ),
)

DATABASE = (
    Fault(
        "old keys are destroyed before the export is made",
        f"{_KEYS}/roll.py",
        (
            (
                "    proven = await export_keys(connection, places.epochs, places.exports)\n",
                (
                    '    await _destroy(connection, places.epochs, old, Proven("", 0, 0))\n'
                    "    proven = await export_keys(connection, places.epochs, places.exports)\n"
                ),
            ),
        ),
        (f"{_ROLL}::test_nothing_is_destroyed_while_the_export_is_lost",),
    ),
    Fault(
        "the export is not read back",
        f"{_KEYS}/exports_made.py",
        (("    await asyncio.to_thread(_compare, exports.read, name, header, epoch_key, encoder)\n", ""),),
        (f"{_ROLL}::test_nothing_is_destroyed_while_the_export_is_not_what_was_written",),
    ),
    Fault(
        "nobody waits until every recovery region has the export",
        f"{_KEYS}/exports_made.py",
        (("    await asyncio.to_thread(exports.settle, name)\n", ""),),
        (f"{_ROLL}::test_nothing_is_destroyed_while_the_export_is_not_in_every_recovery_region",),
    ),
    Fault(
        "old keys are not destroyed",
        f"{_KEYS}/roll.py",
        (("        await asyncio.to_thread(epochs.destroy, epoch)\n", ""),),
        (f"{_ROLL}::test_yesterdays_backup_opens_before_the_roll_and_not_after_and_the_neighbour_stays",),
    ),
    Fault(
        "receipts are written before old keys are destroyed",
        f"{_KEYS}/roll.py",
        (
            (
                "    await _destroy(connection, places.epochs, old, proven)\n    await _receipts(connection, old)\n",
                "    await _receipts(connection, old)\n    await _destroy(connection, places.epochs, old, proven)\n",
            ),
        ),
        (f"{_ROLL}::test_a_roll_that_is_killed_loses_nothing_and_the_next_finishes_it",),
    ),
    Fault(
        "keys that somebody has locked are left behind",
        f"{_KEYS}/roll_wraps.py",
        (
            (
                "            if not (await connection.execute(select(exists()",
                "            if True or not (await connection.execute(select(exists()",
            ),
        ),
        (f"{_ROLL}::test_a_key_that_is_locked_all_the_time_keeps_its_epoch",),
    ),
    Fault(
        "whoever registers does not hold the epoch",
        f"{_KEYS}/active.py",
        ((".with_for_update(read=True)", ""),),
        (f"{_ROLL}::test_who_registers_while_a_roll_begins_is_waited_for_and_wrapped_anew",),
    ),
    Fault(
        "who was erased is not forgotten",
        f"{_KEYS}/person_keys.py",
        (("        self._messages.forget(user_id)\n        self._memories.forget(user_id)\n", "        pass\n"),),
        (f"{_PERSON_KEYS}::test_who_is_erased_is_forgotten_also_while_their_key_is_on_its_way",),
    ),
    Fault(
        "the AI core is given the data key itself",
        f"{_KEYS}/person_keys.py",
        (
            (
                "        return await self._memories.get(user_id)\n",
                (
                    "        inner = await self._memories.get(user_id)\n"
                    '        return await self._call(self._key_service.unwrap, inner, context("memories", user_id))\n'
                ),
            ),
        ),
        (f"{_PERSON_KEYS}::test_the_key_of_memories_is_handed_over_wrapped_and_is_none_of_messages",),
    ),
    Fault(
        "nobody looks at the MAC",
        "services/backend/backend/auth/service.py",
        ((" and user and await self._as_written(user):", " and user:"),),
        ("tests/backend/auth/test_credentials.py::test_nobody_signs_in_to_an_account_that_was_changed",),
    ),
    Fault(
        "plain messages are read although the database refuses them",
        "services/backend/backend/messages/words.py",
        (("if self._plain_too and stored[:1] == _PLAIN:", "if stored[:1] == _PLAIN:"),),
        ("tests/backend/messages/test_sealed.py::test_a_plain_message_cannot_be_put_into_anybodys_mouth",),
    ),
    Fault(
        "vectors are stored in the clear also where they are to be sealed",
        f"{_MEMORY}/records.py",
        (("embedding=embedding if in_the_clear else None", "embedding=embedding"),),
        (f"{_SEALED}::test_a_store_holds_no_words_and_no_vector[pgvector-sealed]",),
    ),
    Fault(
        "the cell of a vector is not sealed",
        f"{_MEMORY}/records.py",
        (("vector=key.seal(VECTOR, memory.memory_id, pack(embedding))", "vector=pack(embedding)"),),
        (f"{_SEALED}::test_a_store_holds_no_words_and_no_vector[pgvector-sealed]",),
    ),
    Fault(
        "plain words are read that somebody put into the memory",
        f"{_MEMORY}/records.py",
        (
            (
                "key.open(CONTENT, record.memory_id, record.content).decode()",
                (
                    "(record.content[1:] if record.content[:1] == PLAIN else "
                    "key.open(CONTENT, record.memory_id, record.content)).decode()"
                ),
            ),
        ),
        (f"{_SEALED}::test_words_that_were_changed_or_moved_are_left_out_and_told",),
    ),
    *(
        Fault(
            f"no filter of the user where the memory {what}",
            f"{_MEMORY}/pgvector_statements.py",
            ((old, new),),
            (f"{_ALONE}::test_a_store_gives_and_changes_nothing_of_anybody_else[pgvector-{way}]",),
        )
        for what, old, new, way in (
            ("reads vectors", "    _mine, _M.vector.is_not(None)\n", "    _M.vector.is_not(None)\n", "sealed"),
            (
                "compares vectors",
                "    .where(_mine, _M.embedding.is_not(None))\n    .order_by",
                "    .where(_M.embedding.is_not(None))\n    .order_by",
                "knn",
            ),
            ("reads words", "_M.content, _M.vector\n).where(_mine)\n", "_M.content, _M.vector\n)\n", "sealed"),
            ("replaces one", "    .where(_mine, _one)\n", "    .where(_one)\n", "sealed"),
            (
                "forgets one",
                "FORGET = memories.delete().where(_mine, _one)",
                "FORGET = memories.delete().where(_one)",
                "sealed",
            ),
            (
                "forgets a conversation",
                "memories.delete().where(_mine, _of_conversation)",
                "memories.delete().where(_of_conversation)",
                "sealed",
            ),
            (
                "forgets a person",
                "FORGET_USER = memories.delete().where(_mine)",
                "FORGET_USER = memories.delete()",
                "sealed",
            ),
        )
    ),
)

SEARCH = (
    *(
        Fault(
            f"no filter of the user where OpenSearch {what}",
            f"{_MEMORY}/opensearch_person.py",
            ((old, new),),
            (f"{_ALONE}::test_a_store_gives_and_changes_nothing_of_anybody_else[opensearch-{way}]",),
        )
        for what, old, new, way in (
            ("reads", '"filter": [self._mine, *only]', '"filter": [*only]', "sealed"),
            (
                "finds where one is",
                " if place.found and place.source.user_id == self._user_id}",
                " if place.found}",
                "sealed",
            ),
            (
                "forgets a conversation",
                '"filter": [self._mine, {"term": {"conversation_id"',
                '"filter": [{"term": {"conversation_id"',
                "sealed",
            ),
        )
    ),
    Fault(
        "vectors are in the clear in OpenSearch",
        f"{_MEMORY}/records.py",
        (("embedding=embedding if in_the_clear else None", "embedding=embedding"),),
        (f"{_SEALED}::test_a_store_holds_no_words_and_no_vector[opensearch-sealed]",),
    ),
)

ALL = (*QUICK, *DATABASE, *SEARCH)
