using Dapper;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Gateway.Tests.Store;

/// <summary>Files that are not what they should be are refused in words, and stay as they are.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "headtower.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AFileThatIsNoDatabaseIsNotTouched()
    {
        _folder.File("headtower.db", new string('x', 8192));

        FluentActions.Invoking(() => Open()).Should().Throw<StoreException>().Which.Message.Should().Contain("restore");
        System.IO.File.ReadAllText(File).Should().Be(new string('x', 8192));
    }

    [Fact]
    public void ADamagedDatabaseIsRefusedWithTheWayOut()
    {
        Fill();
        var bytes = System.IO.File.ReadAllBytes(File);
        for (var at = 4096; at < bytes.Length; at += 4096)
        {
            bytes.AsSpan(at, 512).Fill(0xAA);
        }

        System.IO.File.WriteAllBytes(File, bytes);

        FluentActions.Invoking(() => Open()).Should().Throw<StoreException>().Which.Message.Should().Contain("gateway restore");
    }

    [Fact]
    public void AStoreOfANewerGatewayIsRefused()
    {
        Fill();
        Execute(File, "pragma user_version = 999");

        FluentActions.Invoking(() => Open()).Should().Throw<StoreException>().Which.Message.Should().Contain("newer gateway");
        FluentActions.Invoking(() => SqliteFile.Inspect(File)).Should().Throw<StoreException>().Which.Message.Should()
            .Contain("newer gateway");
    }

    [Fact]
    public void ADatabaseOfAnotherProgramIsRefused()
    {
        Execute(File, "create table theirs (x)");

        FluentActions.Invoking(() => Open()).Should().Throw<StoreException>().Which.Message.Should().Contain("some other program");
    }

    [Fact]
    public void AFolderThatCannotBeMadeIsNamed()
    {
        _folder.File("plain", "");

        FluentActions.Invoking(() => SqliteFile.Open(Path.Combine(_folder.Path, "plain", "headtower.db"), _folder.Path)).Should()
            .Throw<StoreException>().Which.Message.Should().Contain("server.data_path");
    }

    [Fact]
    public void AnEmptyFileBecomesAStore()
    {
        _folder.File("headtower.db", "");
        Fill();
        SqliteFile.Inspect(File).Should().Be(SqliteUpgrade.Version);
    }

    [Fact]
    public void WhatIsInspectedIsNotMade()
    {
        SqliteFile.Inspect(File).Should().Be(0);
        System.IO.File.Exists(File).Should().BeFalse();
    }

    [Fact]
    public void TheStoreIsForItsOwnerAloneAlsoWhereTheFolderIsNot()
    {
        FileModes.Set(_folder.Path, (UnixFileMode)0b111_101_101);
        Fill();
        FileModes.Of(File).Should().Be(FileModes.OwnerOnly);

        FileModes.Set(File, (UnixFileMode)0b110_100_100);
        Fill();
        FileModes.Of(File).Should().Be(FileModes.OwnerOnly);
    }

    private SqliteFile Open() => SqliteFile.Open(File, Path.Combine(_folder.Path, "audit"));

    private void Fill()
    {
        var file = Open();
        file.Change(
            (connection, transaction) => connection.Execute("insert into document (id, version, json) select 'person/1', 1, '{}' where "
                + "true on conflict do nothing", transaction: transaction));
        file.Close();
    }

    private static void Execute(string file, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Execute(sql);
    }
}
